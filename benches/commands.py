#!/usr/bin/env python3
"""The job as a command against curl, on one loopback service, in turns.

    benches/commands.py [ROUNDS]

One create, and a hundred creates in one process. Each of ours is measured with its record on the disk of the temporary folder and in
memory (/dev/shm), so that what the durable record costs is stated apart. Needs curl; builds what it measures with cargo.
"""
import json, os, pathlib, shutil, statistics, subprocess, sys, tempfile, time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PEERS = ROOT / "benches/terminal/peers"
PROGRAM = ROOT / "target/release/mmd-elevate"
TENANT = "7f3c0b1a-2d4e-4f60-8a9b-c1d2e3f46677"
HUNDRED = 100


def main():
    if not shutil.which("curl"):
        sys.exit("skipped: there is no curl")
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    for folder in (ROOT, PEERS):
        subprocess.run(["cargo", "build", "--release", "--quiet"], cwd=folder, check=True)
    service = subprocess.Popen([PEERS / "target/release/answers"], stdout=subprocess.PIPE, text=True)
    try:
        measure(f"http://127.0.0.1:{service.stdout.readline().strip()}/v1", rounds)
    finally:
        service.kill()


def request(number):
    return {
        "partnerTicketId": f"INC-{number}",
        "deviceName": f"MMD-{number:011}",
        "title": "Excel add-in crashes",
        "category": "Office",
        "subcategory": "Excel",
        "planOfAction": "Remove the add-in and test with the user",
    }


def measure(base, rounds):
    with tempfile.TemporaryDirectory() as disk, tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        folder = pathlib.Path(disk)
        lines = folder / "hundred.jsonl"
        lines.write_text("".join(json.dumps(request(number)) + "\n" for number in range(HUNDRED)))
        address = f"{base}/tenants/{TENANT}/elevationRequests"
        headers = ["content-type: application/json", "authorization: Bearer token"]
        one = ["curl", "-s", "-o", "/dev/null", *(x for h in headers for x in ("-H", h)), "-d", json.dumps(request(0)), address]
        quoted = lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        parts = []
        for number in range(HUNDRED):
            options = ["silent", "output=/dev/null", *(f"header={quoted(h)}" for h in headers)]
            parts.append("\n".join([*options, f"data={quoted(json.dumps(request(number)))}", f"url={quoted(address)}"]))
        (folder / "curl.conf").write_text("\nnext\n".join(parts) + "\n")
        first = request(0)
        options = ["ticket", "device", "title", "category", "subcategory", "plan"]
        texts = [text for option, value in zip(options, first.values()) for text in (f"--{option}", value)]
        create = [PROGRAM, "create", "--allow-open"]

        def environment(state):
            return {
                "HOME": disk,
                "MMD_ELEVATE_STATE_DIR": state,
                "MMD_ELEVATE_BASE_URL": base,
                "MMD_ELEVATE_TENANT_ID": TENANT,
                "MMD_ELEVATE_TOKEN": "token",
            }

        fresh = [0]

        def ours(arguments, place):
            # A record of its own each time: what is measured is not how long the record has become.
            fresh[0] += 1
            state = pathlib.Path(place) / str(fresh[0])
            elapsed = timed([*create, *arguments], environment(str(state)))
            shutil.rmtree(state)
            return elapsed

        kept = str(folder / "kept")
        timed([*create, *texts], environment(kept))
        cases = {
            "one: curl": lambda: timed(one, None),
            "one: create, record on disk": lambda: timed([*create, *texts], environment(kept)),
            "one: create, new record on disk": lambda: ours(texts, disk),
            "one: create, new record in memory": lambda: ours(texts, memory),
            "hundred: curl, one process": lambda: timed(["curl", "-K", str(folder / "curl.conf")], None),
            "hundred: create --from, record on disk": lambda: ours(["--from", str(lines)], disk),
            "hundred: create --from, record in memory": lambda: ours(["--from", str(lines)], memory),
        }
        times = {name: [] for name in cases}
        for _ in range(rounds):
            for name, run in cases.items():
                times[name].append(run())
        print(f"{'':42}{'median':>9}{'best':>9}{'p90':>9}  ms, {rounds} rounds in turns; ratio of medians")
        for name, values in times.items():
            values.sort()
            peer = statistics.median(times["one: curl" if name.startswith("one") else "hundred: curl, one process"])
            median, p90 = statistics.median(values), values[int(len(values) * 0.9)]
            print(f"{name:42}{median:9.2f}{values[0]:9.2f}{p90:9.2f}  {median / peer:.2f}x")


def timed(command, env):
    began = time.perf_counter()
    ended = subprocess.run(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    elapsed = (time.perf_counter() - began) * 1000
    if ended.returncode != 0:
        sys.exit(f"{command} ended with {ended.returncode}: {ended.stderr.decode()}")
    return elapsed


main()
