//! The only table of actions and their default keys. The keymap, the footer, the help screen, `docs/keys.md` and `[keys]` of
//! the settings come from it; nothing else may bind a key.

/// A part of the dashboard in which keys are bound. If several apply, a key is looked up in the most specific first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// A text of several lines: the plan of action, the actions taken.
    LongText,
    /// A field of one line in the form.
    Line,
    /// Any text that can be typed.
    Text,
    /// The form, while its draft can be edited.
    Form,
    /// The list of requests.
    List,
    /// The details of the selected request.
    Details,
    /// The list and the details.
    Panes,
    /// The filter's input line.
    Filter,
    /// The dialog that closes a request.
    CloseDialog,
    /// The question before the program quits.
    QuitQuestion,
    /// The text of a close that the service did not store.
    UnsentText,
    /// The question about a create whose outcome is unknown.
    UnknownOutcome,
    /// The question whether to send such a create again.
    SendAgain,
    /// The question whether an accepted close that no list shows is done.
    TakeAsClosed,
    /// What was recovered from earlier runs.
    Recovery,
    /// The requests that are open on the form's device.
    DevicePanel,
    /// The tenants, to switch to one of them.
    Tenants,
    /// The line that searches the tenants.
    TenantSearch,
    /// The notices of this run.
    Notices,
    /// The report of the shift.
    Report,
    /// Every action, to be chosen by its name.
    Palette,
    /// The help screen.
    Help,
    /// The line that searches the help.
    HelpSearch,
    /// The templates and recent texts for a long text.
    Templates,
    /// Everywhere.
    Anywhere,
}

impl Scope {
    /// All scopes, in the order in which help shows them.
    pub const ALL: [Self; 25] = [
        Self::List,
        Self::Details,
        Self::Panes,
        Self::Form,
        Self::Line,
        Self::CloseDialog,
        Self::Filter,
        Self::LongText,
        Self::Text,
        Self::UnsentText,
        Self::UnknownOutcome,
        Self::SendAgain,
        Self::TakeAsClosed,
        Self::Recovery,
        Self::QuitQuestion,
        Self::DevicePanel,
        Self::Tenants,
        Self::TenantSearch,
        Self::Notices,
        Self::Report,
        Self::Palette,
        Self::Help,
        Self::HelpSearch,
        Self::Templates,
        Self::Anywhere,
    ];

    /// Returns the heading over the scope's keys.
    #[must_use]
    pub const fn heading(self) -> &'static str {
        match self {
            Self::LongText => "Long texts",
            Self::Line => "Fields of one line",
            Self::Text => "Any text",
            Self::Form => "New request",
            Self::List => "List",
            Self::Details => "Details",
            Self::Panes => "Outside text",
            Self::Filter => "Filter",
            Self::CloseDialog => "Close request",
            Self::QuitQuestion => "Leaving",
            Self::UnsentText => "Text that was not stored",
            Self::UnknownOutcome => "Outcome unknown",
            Self::SendAgain => "Send again",
            Self::TakeAsClosed => "Take as closed",
            Self::Recovery => "Recovery",
            Self::DevicePanel => "Open on the device",
            Self::Tenants => "Tenants",
            Self::TenantSearch => "Searching the tenants",
            Self::Notices => "Notices",
            Self::Report => "Report of the shift",
            Self::Palette => "Every action",
            Self::Help => "Help",
            Self::HelpSearch => "Searching the help",
            Self::Templates => "Templates",
            Self::Anywhere => "Anywhere",
        }
    }

    /// Returns whether typing in this scope makes text, so that no plain printable key may be bound in it.
    #[must_use]
    pub const fn takes_text(self) -> bool {
        matches!(
            self,
            Self::LongText
                | Self::Line
                | Self::Text
                | Self::Form
                | Self::Filter
                | Self::CloseDialog
                | Self::Palette
                | Self::HelpSearch
                | Self::Templates
                | Self::TenantSearch
                | Self::Anywhere
        )
    }
}

/// A tab of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tab {
    /// What was opened from this record and is not over: open requests, writes in flight, drafts.
    #[default]
    Mine,
    /// All open requests of the tenant.
    Tenant,
    /// What of one's own needs the agent.
    Attention,
    /// What is over.
    Closed,
}

impl Tab {
    /// All tabs, in their order.
    pub const ALL: [Self; 4] = [Self::Mine, Self::Tenant, Self::Attention, Self::Closed];

    /// Returns the name of the tab.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mine => "Mine",
            Self::Tenant => "Tenant",
            Self::Attention => "Attention",
            Self::Closed => "Closed",
        }
    }
}

/// A movement of the selection or of a scrolled view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Motion {
    Down,
    Up,
    PageDown,
    PageUp,
    HalfPageDown,
    HalfPageUp,
    First,
    Last,
}

impl Motion {
    /// How far a page is, in rows or lines.
    const PAGE: usize = 10;

    /// Returns the place to which the motion leads, from one of the places up to `last`.
    #[must_use]
    pub fn from(self, at: usize, last: usize) -> usize {
        let to = match self {
            Self::Down => at.saturating_add(1),
            Self::Up => at.saturating_sub(1),
            Self::PageDown => at.saturating_add(Self::PAGE),
            Self::PageUp => at.saturating_sub(Self::PAGE),
            Self::HalfPageDown => at.saturating_add(Self::PAGE / 2),
            Self::HalfPageUp => at.saturating_sub(Self::PAGE / 2),
            Self::First => 0,
            Self::Last => last,
        };
        to.min(last)
    }
}

/// What is marked in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Marking {
    /// The selected row.
    Row,
    /// The rows from here on, until the range is ended.
    Range,
    /// All rows that are shown.
    All,
}

/// A movement of the cursor or a change of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum TextEdit {
    Left,
    Right,
    Up,
    Down,
    WordLeft,
    WordRight,
    LineStart,
    LineEnd,
    TextStart,
    TextEnd,
    PageUp,
    PageDown,
    NewLine,
    DeleteLeft,
    DeleteRight,
    DeleteWordLeft,
    DeleteWordRight,
    DeleteToLineStart,
    DeleteToLineEnd,
    Undo,
    Redo,
}

/// What a key does. The scope in which it is bound decides what it applies to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Show every key that works here.
    Help,
    /// Quit, after a question if something would be left behind.
    Quit,
    /// Quit by Ctrl-C; a second one soon afterwards quits at once.
    Interrupt,
    /// Suspend the program, as Ctrl-Z does in a shell.
    Suspend,
    /// Leave the focused part; text is kept.
    Back,
    /// Focus the next pane.
    NextPane,
    /// Focus the previous pane.
    PreviousPane,
    /// Move the selection, or scroll.
    Move(Motion),
    /// Start a request, or return to the existing draft.
    NewRequest,
    /// Start a request like the selected one.
    NewLike,
    /// Open the dialog that closes the selected request, or the marked ones.
    CloseRequest,
    /// Open the dialog that closes a request that was opened by mistake, with that text.
    CloseMistake,
    /// Mark rows, or take their marks.
    Mark(Marking),
    /// Of several requests that are being closed, go to the next without closing this one.
    SkipClose,
    /// Of several requests that are being closed, go back.
    PreviousClose,
    /// Close several requests with one text, or with a text each.
    ToggleOneText,
    /// Show the selected request, continue its draft, or ask about its unknown outcome.
    Open,
    /// Focus the filter.
    Filter,
    /// Go back to the list and keep the filter.
    KeepFilter,
    /// Use the next sort order of the list.
    NextSort,
    /// Show this tab of the list.
    ShowTab(Tab),
    /// Show or hide the details below the list.
    ToggleDetails,
    /// Show the notices of this run.
    ShowNotices,
    /// Show the report of the shift.
    ShowReport,
    /// Hand the report to the clipboard.
    CopyReport,
    /// Write the report to a file.
    WriteReport,
    /// Use the next format for the report.
    NextReportFormat,
    /// Use the next period for the report.
    NextReportPeriod,
    /// Show every action, to be chosen by its name.
    ShowPalette,
    /// Do the action that is chosen.
    Perform,
    /// Show the requests that are open on the form's device.
    ShowDevice,
    /// Show the tenants.
    ShowTenants,
    /// Switch to the tenant that is selected in the list of tenants.
    SwitchTenant,
    /// Switch to the tenant with this number in the list of tenants.
    SwitchToTenant(u8),
    /// Take an accepted close that no list shows as done.
    TakeAsClosed,
    /// Switch the mouse on or off.
    ToggleMouse,
    /// Show the keys of every place, or of this one.
    ToggleEverywhere,
    /// Search the help.
    Search,
    /// Draw the screen anew.
    Redraw,
    /// Copy the selected request's id.
    CopyId,
    /// Copy a line about the selected request for the ticket.
    CopyLine,
    /// Copy the text that the service did not store.
    CopyUnsent,
    /// Open the selected request's ticket in the browser.
    OpenTicket,
    /// Focus the next field.
    NextField,
    /// Focus the previous field.
    PreviousField,
    /// Use the suggestion, if one is selected, and focus the next field.
    TakeSuggestion,
    /// Select the next suggestion.
    NextSuggestion,
    /// Select the previous suggestion.
    PreviousSuggestion,
    /// Send the form or the dialog.
    Submit,
    /// Clear the form; undo restores it.
    Discard,
    /// Show templates and recent texts for the text.
    ShowTemplates,
    /// Insert the chosen template or text, or save the text under the typed name.
    TakeTemplate,
    /// Open the text in the agent's editor.
    OpenEditor,
    /// Edit the text.
    Edit(TextEdit),
    /// Fetch the open requests from the service.
    Refresh,
    /// Abandon the selected request's call.
    Abandon,
    /// Look up a write of unknown outcome again.
    LookAgain,
    /// Ask whether to send a create of unknown outcome again.
    SendAgain,
    /// Stop looking for a create of unknown outcome.
    SetAside,
    /// Take a match as the request that the create opened.
    Adopt,
    /// Close the request that is a match.
    CloseMatch,
    /// Fetch a new token now.
    SignIn,
    /// Before quitting: close the open requests, one dialog after the other.
    CloseThem,
    /// Quit and leave the open requests as they are.
    LeaveThem,
}

impl Action {
    /// Returns whether the action sends or settles something or quits, so that it must never happen by accident.
    #[must_use]
    pub const fn commits(self) -> bool {
        matches!(self, Self::Submit | Self::Adopt | Self::SetAside | Self::CloseThem | Self::LeaveThem | Self::Perform)
    }

    /// Returns whether the action opens or closes a request, settles how that went, or writes the texts for it: a read-only
    /// dashboard has none of these.
    #[must_use]
    pub const fn writes(self) -> bool {
        matches!(
            self,
            Self::NewRequest
                | Self::NewLike
                | Self::CloseRequest
                | Self::CloseMistake
                | Self::CloseMatch
                | Self::CloseThem
                | Self::Submit
                | Self::SendAgain
                | Self::Adopt
                | Self::SetAside
                | Self::TakeAsClosed
                | Self::Discard
                | Self::OpenEditor
        )
    }

    /// Returns whether the action is about the selected request.
    #[must_use]
    pub const fn is_about_request(self) -> bool {
        matches!(
            self,
            Self::CloseRequest
                | Self::CloseMistake
                | Self::NewLike
                | Self::Open
                | Self::Abandon
                | Self::TakeAsClosed
                | Self::CopyId
                | Self::CopyLine
                | Self::CopyUnsent
                | Self::OpenTicket
        )
    }
}

/// A row of the table: an action in a scope with its keys.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// The id in `[keys]`: `scope.what`.
    pub id: &'static str,
    /// The scope in which the keys are bound.
    pub scope: Scope,
    /// The action.
    pub action: Action,
    /// The default keys, as [`crate::keys::Key`] parses them.
    pub keys: &'static [&'static str],
    /// The label in the footer, if the footer shows the action.
    pub footer: Option<&'static str>,
    /// The description in the help screen and in `docs/keys.md`.
    pub help: &'static str,
}

const fn row(
    id: &'static str,
    scope: Scope,
    action: Action,
    keys: &'static [&'static str],
    footer: Option<&'static str>,
    help: &'static str,
) -> Binding {
    Binding { id, scope, action, keys, footer, help }
}

/// The table, in the order in which the footer and the help show the rows of a scope.
#[rustfmt::skip] // One row, one line.
pub const BINDINGS: &[Binding] = {
    use Action as A;
    use Scope as S;
    use TextEdit as T;
    &[
        row("list.new", S::Panes, A::NewRequest, &["n"], Some("new"), "new request, or back to the draft"),
        row("tab.mine", S::Panes, A::ShowTab(Tab::Mine), &["1"], None, "mine: requests, writes, drafts"),
        row("tab.tenant", S::Panes, A::ShowTab(Tab::Tenant), &["2"], None, "all open requests of the tenant"),
        row("tab.attention", S::Panes, A::ShowTab(Tab::Attention), &["3"], None, "what needs me"),
        row("tab.closed", S::Panes, A::ShowTab(Tab::Closed), &["4"], None, "what is closed"),
        row("list.close", S::List, A::CloseRequest, &["c"], Some("close"), "close the selected request or the marks"),
        row("list.take-as-closed", S::List, A::TakeAsClosed, &["d"], Some("take as closed"), "take an accepted close as done"),
        row("list.new-like", S::List, A::NewLike, &["N"], None, "new request like the selected one"),
        row("list.open", S::List, A::Open, &["enter"], Some("details"), "details; go on with a draft; decide"),
        row("list.down", S::List, A::Move(Motion::Down), &["j", "down"], None, "next request"),
        row("list.up", S::List, A::Move(Motion::Up), &["k", "up"], None, "previous request"),
        row("list.first", S::List, A::Move(Motion::First), &["g", "home"], None, "first request"),
        row("list.last", S::List, A::Move(Motion::Last), &["G", "end"], None, "last request"),
        row("list.page-down", S::List, A::Move(Motion::PageDown), &["pgdn"], None, "a page down"),
        row("list.page-up", S::List, A::Move(Motion::PageUp), &["pgup"], None, "a page up"),
        row("list.half-down", S::List, A::Move(Motion::HalfPageDown), &["ctrl-d"], None, "half a page down"),
        row("list.half-up", S::List, A::Move(Motion::HalfPageUp), &["ctrl-u"], None, "half a page up"),
        row("list.filter", S::List, A::Filter, &["/"], Some("filter"), "filter, such as by:ana age:>2h -word"),
        row("list.mark", S::List, A::Mark(Marking::Row), &["space"], Some("mark"), "mark, and on to the next"),
        row("list.mark-range", S::List, A::Mark(Marking::Range), &["v"], None, "mark a range; v or Space ends it"),
        row("list.mark-all", S::List, A::Mark(Marking::All), &["*"], None, "mark all that are shown, or none"),
        row("list.mistake", S::List, A::CloseMistake, &["u"], None, "opened by mistake: close it again"),
        row("list.clear", S::List, A::Back, &["esc"], None, "drop the range, the marks, the filter"),
        row("list.sort", S::List, A::NextSort, &["s"], Some("sort"), "next sort order"),
        row("details.close", S::Details, A::CloseRequest, &["c"], Some("close"), "close this request"),
        row("details.back", S::Details, A::Back, &["esc", "enter"], Some("list"), "back to the list"),
        row("details.down", S::Details, A::Move(Motion::Down), &["j", "down"], None, "scroll down"),
        row("details.up", S::Details, A::Move(Motion::Up), &["k", "up"], None, "scroll up"),
        row("details.first", S::Details, A::Move(Motion::First), &["g", "home"], None, "to the beginning"),
        row("details.last", S::Details, A::Move(Motion::Last), &["G", "end"], None, "to the end"),
        row("details.page-down", S::Details, A::Move(Motion::PageDown), &["pgdn"], None, "a page down"),
        row("details.page-up", S::Details, A::Move(Motion::PageUp), &["pgup"], None, "a page up"),
        row("details.half-down", S::Details, A::Move(Motion::HalfPageDown), &["ctrl-d"], None, "half a page down"),
        row("details.half-up", S::Details, A::Move(Motion::HalfPageUp), &["ctrl-u"], None, "half a page up"),
        row("panes.refresh", S::Panes, A::Refresh, &["r"], None, "ask the service again"),
        row("panes.details", S::Panes, A::ToggleDetails, &["p"], None, "show or hide the details"),
        row("list.tenants", S::List, A::ShowTenants, &["T"], None, "another tenant; this one stays as it is"),
        row("panes.notices", S::Panes, A::ShowNotices, &["!"], None, "the notices of this run, whole"),
        row("list.report", S::Panes, A::ShowReport, &["R"], None, "report of the shift, to hand over"),
        row("panes.palette", S::Panes, A::ShowPalette, &[":"], None, "every action, by its name"),
        row("panes.mouse", S::Panes, A::ToggleMouse, &["M"], None, "mouse on or off; off at start"),
        row("panes.abandon", S::Panes, A::Abandon, &["x"], Some("abandon"), "abandon the call; it is looked up"),
        row("panes.copy-id", S::Panes, A::CopyId, &["y"], Some("copy id"), "copy the request's id"),
        row("panes.copy-line", S::Panes, A::CopyLine, &["Y"], None, "copy a line for the ticket"),
        row("panes.copy-text", S::Panes, A::CopyUnsent, &["t"], Some("copy text"), "copy the text that was not stored"),
        row("panes.ticket", S::Panes, A::OpenTicket, &["o"], None, "open the ticket in the browser"),
        row("panes.sign-in", S::Panes, A::SignIn, &["L"], None, "sign in again, with a new token"),
        row("panes.next", S::Panes, A::NextPane, &["tab"], None, "to the details, and back"),
        row("panes.previous", S::Panes, A::PreviousPane, &["shift-tab"], None, "to the details, and back"),
        row("panes.help", S::Panes, A::Help, &["?"], Some("all keys"), "every key that works here"),
        row("panes.suspend", S::Panes, A::Suspend, &["ctrl-z"], None, "suspend; fg resumes"),
        row("panes.quit", S::Panes, A::Quit, &["q"], Some("quit"), "quit; asks if something is left behind"),
        row("form.submit", S::Form, A::Submit, &["ctrl-s", "f2"], Some("send"), "send the request"),
        row("form.next", S::Form, A::NextField, &["tab"], Some("next field"), "next field, with what was typed"),
        row("form.previous", S::Form, A::PreviousField, &["shift-tab"], None, "previous field"),
        row("form.device", S::Form, A::ShowDevice, &["ctrl-g"], Some("open here"), "what is open on this device"),
        row("form.templates", S::Form, A::ShowTemplates, &["ctrl-t"], None, "templates and recent texts for the plan"),
        row("form.discard", S::Form, A::Discard, &["ctrl-x"], Some("discard"), "discard the draft; it can be undone"),
        row("form.back", S::Form, A::Back, &["esc"], Some("list"), "back to the list; the draft stays"),
        row("line.take", S::Line, A::TakeSuggestion, &["enter"], Some("take"), "take the chosen suggestion; next field"),
        row("line.next", S::Line, A::NextSuggestion, &["down", "ctrl-n"], Some("choose"), "next suggestion, or the field below"),
        row("line.previous", S::Line, A::PreviousSuggestion, &["up", "ctrl-p"], None, "previous suggestion, or the field above"),
        row("dialog.submit", S::CloseDialog, A::Submit, &["ctrl-s", "f2"], Some("close it"), "close the request"),
        row("dialog.one-text", S::CloseDialog, A::ToggleOneText, &["ctrl-r"], Some("one text for all"), "one text for all, or a text each"),
        row("dialog.next", S::CloseDialog, A::SkipClose, &["tab"], Some("next"), "skip to the next; the text is kept"),
        row("dialog.previous", S::CloseDialog, A::PreviousClose, &["shift-tab"], None, "back to the one before"),
        row("dialog.back", S::CloseDialog, A::Back, &["esc"], Some("leave"), "leave; the text is kept"),
        row("filter.keep", S::Filter, A::KeepFilter, &["enter", "tab", "down"], Some("keep"), "back to the list with this filter"),
        row("filter.clear", S::Filter, A::Back, &["esc"], Some("clear"), "clear the filter"),
        row("long.templates", S::LongText, A::ShowTemplates, &["ctrl-t"], Some("texts"), "templates and recent texts"),
        row("long.editor", S::LongText, A::OpenEditor, &["ctrl-o"], Some("editor"), "edit the text in $VISUAL or $EDITOR"),
        row("long.new-line", S::LongText, A::Edit(T::NewLine), &["enter"], None, "new line"),
        row("long.up", S::LongText, A::Edit(T::Up), &["up", "ctrl-p"], None, "line up"),
        row("long.down", S::LongText, A::Edit(T::Down), &["down", "ctrl-n"], None, "line down"),
        row("long.page-up", S::LongText, A::Edit(T::PageUp), &["pgup"], None, "a page up"),
        row("long.page-down", S::LongText, A::Edit(T::PageDown), &["pgdn"], None, "a page down"),
        row("long.start", S::LongText, A::Edit(T::TextStart), &["ctrl-home"], None, "to the beginning of the text"),
        row("long.end", S::LongText, A::Edit(T::TextEnd), &["ctrl-end"], None, "to the end of the text"),
        row("text.undo", S::Text, A::Edit(T::Undo), &["ctrl-z"], None, "undo"),
        row("text.redo", S::Text, A::Edit(T::Redo), &["ctrl-y"], None, "redo"),
        row("text.left", S::Text, A::Edit(T::Left), &["left", "ctrl-b"], None, "left"),
        row("text.right", S::Text, A::Edit(T::Right), &["right", "ctrl-f"], None, "right"),
        row("text.word-left", S::Text, A::Edit(T::WordLeft), &["ctrl-left", "alt-b"], None, "a word to the left"),
        row("text.word-right", S::Text, A::Edit(T::WordRight), &["ctrl-right", "alt-f"], None, "a word to the right"),
        row("text.line-start", S::Text, A::Edit(T::LineStart), &["home", "ctrl-a"], None, "to the beginning of the line"),
        row("text.line-end", S::Text, A::Edit(T::LineEnd), &["end", "ctrl-e"], None, "to the end of the line"),
        row("text.delete-left", S::Text, A::Edit(T::DeleteLeft), &["backspace", "shift-backspace", "ctrl-h"], None, "delete to the left"),
        row("text.delete-right", S::Text, A::Edit(T::DeleteRight), &["delete", "ctrl-d"], None, "delete to the right"),
        row("text.delete-word-left", S::Text, A::Edit(T::DeleteWordLeft), &["ctrl-w", "alt-backspace"], None, "delete the word to the left"),
        row("text.delete-word-right", S::Text, A::Edit(T::DeleteWordRight), &["alt-d", "ctrl-delete"], None, "delete the word to the right"),
        row("text.delete-line-start", S::Text, A::Edit(T::DeleteToLineStart), &["ctrl-u"], None, "delete to the beginning of the line"),
        row("text.delete-line-end", S::Text, A::Edit(T::DeleteToLineEnd), &["ctrl-k"], None, "delete to the end of the line"),
        row("unsent.copy", S::UnsentText, A::CopyUnsent, &["y"], Some("copy the text"), "copy the text"),
        row("unsent.back", S::UnsentText, A::Back, &["esc", "enter"], Some("done"), "done; the text stays with the request"),
        row("unknown.look", S::UnknownOutcome, A::LookAgain, &["l"], Some("look again"), "look again"),
        row("unknown.adopt", S::UnknownOutcome, A::Adopt, &["a"], Some("it is this one"), "the chosen match is this request"),
        row("unknown.close", S::UnknownOutcome, A::CloseMatch, &["c"], Some("close it"), "close the chosen match"),
        row("unknown.send", S::UnknownOutcome, A::SendAgain, &["s"], Some("send again"), "send it again, after a question"),
        row("unknown.aside", S::UnknownOutcome, A::SetAside, &["d"], Some("set aside"), "set it aside and stop looking for it"),
        row("unknown.down", S::UnknownOutcome, A::Move(Motion::Down), &["j", "down"], None, "next match"),
        row("unknown.up", S::UnknownOutcome, A::Move(Motion::Up), &["k", "up"], None, "previous match"),
        row("unknown.back", S::UnknownOutcome, A::Back, &["esc", "enter"], Some("leave it"), "leave it in the list"),
        row("again.submit", S::SendAgain, A::Submit, &["ctrl-s", "f2"], Some("send it again"), "send it again, as a separate request"),
        row("again.back", S::SendAgain, A::Back, &["esc"], Some("do not"), "do not send it"),
        row("word.submit", S::TakeAsClosed, A::Submit, &["ctrl-s", "f2"], Some("take it as closed"), "take it as closed, on my word"),
        row("word.back", S::TakeAsClosed, A::Back, &["esc"], Some("do not"), "leave it as it is"),
        row("recovery.back", S::Recovery, A::Back, &["enter", "esc", "q"], Some("go on"), "on to the dashboard"),
        row("recovery.down", S::Recovery, A::Move(Motion::Down), &["j", "down"], Some("choose"), "next row"),
        row("recovery.up", S::Recovery, A::Move(Motion::Up), &["k", "up"], None, "previous row"),
        row("recovery.close", S::Recovery, A::CloseRequest, &["c"], Some("close it"), "close the request; then this is back"),
        row("recovery.open", S::Recovery, A::Open, &["l"], Some("look at it"), "details; go on with a draft; decide"),
        row("recovery.copy-line", S::Recovery, A::CopyLine, &["Y"], None, "copy a line about the request"),
        row("recovery.report", S::Recovery, A::ShowReport, &["R"], Some("report"), "report of the shift, to hand over"),
        row("quit.close", S::QuitQuestion, A::CloseThem, &["c"], Some("close them"), "close them, one after the other"),
        row("quit.leave", S::QuitQuestion, A::LeaveThem, &["l"], Some("leave them"), "leave everything as it is"),
        row("quit.report", S::QuitQuestion, A::ShowReport, &["R"], Some("report"), "report of the shift; then ask again"),
        row("quit.stay", S::QuitQuestion, A::Back, &["esc"], Some("stay"), "stay"),
        row("help.down", S::Help, A::Move(Motion::Down), &["j", "down"], Some("scroll"), "scroll down"),
        row("help.up", S::Help, A::Move(Motion::Up), &["k", "up"], None, "scroll up"),
        row("help.page-down", S::Help, A::Move(Motion::PageDown), &["pgdn", "space"], None, "a page down"),
        row("help.page-up", S::Help, A::Move(Motion::PageUp), &["pgup"], None, "a page up"),
        row("help.half-down", S::Help, A::Move(Motion::HalfPageDown), &["ctrl-d"], None, "half a page down"),
        row("help.half-up", S::Help, A::Move(Motion::HalfPageUp), &["ctrl-u"], None, "half a page up"),
        row("help.search", S::Help, A::Search, &["/"], Some("search"), "search"),
        row("help.everywhere", S::Help, A::ToggleEverywhere, &["a"], Some("all places"), "the keys of every place, or of this one"),
        row("help.first", S::Help, A::Move(Motion::First), &["g", "home"], None, "to the beginning"),
        row("help.last", S::Help, A::Move(Motion::Last), &["G", "end"], None, "to the end"),
        row("help.back", S::Help, A::Back, &["esc", "q", "?", "enter"], Some("back"), "back"),
        row("help.keep", S::HelpSearch, A::KeepFilter, &["enter", "tab", "down"], Some("keep"), "back to the help with this search"),
        row("help.clear", S::HelpSearch, A::Back, &["esc"], Some("clear"), "clear the search"),
        row("device.down", S::DevicePanel, A::Move(Motion::Down), &["j", "down", "ctrl-n"], None, "next request"),
        row("device.up", S::DevicePanel, A::Move(Motion::Up), &["k", "up", "ctrl-p"], None, "previous request"),
        row("device.look", S::DevicePanel, A::Open, &["enter"], Some("look at it"), "look at the request"),
        row("device.close", S::DevicePanel, A::CloseRequest, &["c"], Some("close it"), "close it; then the form is back"),
        row("device.copy-line", S::DevicePanel, A::CopyLine, &["Y"], Some("copy its line"), "copy a line about the request"),
        row("device.submit", S::DevicePanel, A::Submit, &["ctrl-s", "f2"], Some("send all the same"), "send the form all the same"),
        row("device.back", S::DevicePanel, A::Back, &["esc"], Some("form"), "back to the form; nothing is sent"),
        row("tenants.switch", S::Tenants, A::SwitchTenant, &["enter"], Some("switch"), "switch to the chosen tenant"),
        row("tenants.down", S::Tenants, A::Move(Motion::Down), &["j", "down", "ctrl-n"], None, "next tenant"),
        row("tenants.up", S::Tenants, A::Move(Motion::Up), &["k", "up", "ctrl-p"], None, "previous tenant"),
        row("tenants.half-down", S::Tenants, A::Move(Motion::HalfPageDown), &["ctrl-d", "pgdn"], None, "half a page down"),
        row("tenants.half-up", S::Tenants, A::Move(Motion::HalfPageUp), &["ctrl-u", "pgup"], None, "half a page up"),
        row("tenants.first", S::Tenants, A::Move(Motion::First), &["g", "home"], None, "first tenant"),
        row("tenants.last", S::Tenants, A::Move(Motion::Last), &["G", "end"], None, "last tenant"),
        row("tenants.search", S::Tenants, A::Search, &["/"], Some("search"), "search"),
        row("tenants.1", S::Tenants, A::SwitchToTenant(1), &["1"], None, "switch to tenant 1"),
        row("tenants.2", S::Tenants, A::SwitchToTenant(2), &["2"], None, "switch to tenant 2"),
        row("tenants.3", S::Tenants, A::SwitchToTenant(3), &["3"], None, "switch to tenant 3"),
        row("tenants.4", S::Tenants, A::SwitchToTenant(4), &["4"], None, "switch to tenant 4"),
        row("tenants.5", S::Tenants, A::SwitchToTenant(5), &["5"], None, "switch to tenant 5"),
        row("tenants.6", S::Tenants, A::SwitchToTenant(6), &["6"], None, "switch to tenant 6"),
        row("tenants.7", S::Tenants, A::SwitchToTenant(7), &["7"], None, "switch to tenant 7"),
        row("tenants.8", S::Tenants, A::SwitchToTenant(8), &["8"], None, "switch to tenant 8"),
        row("tenants.9", S::Tenants, A::SwitchToTenant(9), &["9"], None, "switch to tenant 9"),
        row("tenants.back", S::Tenants, A::Back, &["esc", "q", "T"], Some("stay"), "stay with this tenant"),
        row("tenants.take", S::TenantSearch, A::SwitchTenant, &["enter"], Some("switch"), "switch to the chosen tenant"),
        row("tenants.below", S::TenantSearch, A::Move(Motion::Down), &["down", "ctrl-n", "tab"], Some("choose"), "next tenant"),
        row("tenants.above", S::TenantSearch, A::Move(Motion::Up), &["up", "ctrl-p", "shift-tab"], None, "previous tenant"),
        row("tenants.clear", S::TenantSearch, A::Back, &["esc"], Some("clear"), "clear the search"),
        row("notices.down", S::Notices, A::Move(Motion::Down), &["j", "down"], Some("scroll"), "scroll down"),
        row("notices.up", S::Notices, A::Move(Motion::Up), &["k", "up"], None, "scroll up"),
        row("notices.half-down", S::Notices, A::Move(Motion::HalfPageDown), &["ctrl-d", "pgdn"], None, "half a page down"),
        row("notices.half-up", S::Notices, A::Move(Motion::HalfPageUp), &["ctrl-u", "pgup"], None, "half a page up"),
        row("notices.first", S::Notices, A::Move(Motion::First), &["g", "home"], None, "to the newest"),
        row("notices.last", S::Notices, A::Move(Motion::Last), &["G", "end"], None, "to the oldest"),
        row("notices.back", S::Notices, A::Back, &["esc", "q", "!", "enter"], Some("back"), "back"),
        row("report.write", S::Report, A::WriteReport, &["enter", "w"], Some("write"), "write it to a file"),
        row("report.copy", S::Report, A::CopyReport, &["y"], Some("copy"), "hand it to the clipboard"),
        row("report.format", S::Report, A::NextReportFormat, &["f", "tab"], Some("format"), "next format: Markdown, CSV, JSON"),
        row("report.period", S::Report, A::NextReportPeriod, &["s"], Some("since"), "next period: today, 24 h, all"),
        row("report.down", S::Report, A::Move(Motion::Down), &["j", "down"], None, "scroll down"),
        row("report.up", S::Report, A::Move(Motion::Up), &["k", "up"], None, "scroll up"),
        row("report.half-down", S::Report, A::Move(Motion::HalfPageDown), &["ctrl-d", "pgdn"], None, "half a page down"),
        row("report.half-up", S::Report, A::Move(Motion::HalfPageUp), &["ctrl-u", "pgup"], None, "half a page up"),
        row("report.first", S::Report, A::Move(Motion::First), &["g", "home"], None, "to the beginning"),
        row("report.last", S::Report, A::Move(Motion::Last), &["G", "end"], None, "to the end"),
        row("report.back", S::Report, A::Back, &["esc", "q", "R"], Some("back"), "back; nothing is written or copied"),
        row("palette.do", S::Palette, A::Perform, &["enter"], Some("do"), "do the chosen action, as its key does"),
        row("palette.down", S::Palette, A::Move(Motion::Down), &["down", "ctrl-n"], Some("choose"), "next action"),
        row("palette.up", S::Palette, A::Move(Motion::Up), &["up", "ctrl-p"], None, "previous action"),
        row("palette.page-down", S::Palette, A::Move(Motion::PageDown), &["pgdn"], None, "a page down"),
        row("palette.page-up", S::Palette, A::Move(Motion::PageUp), &["pgup"], None, "a page up"),
        row("palette.back", S::Palette, A::Back, &["esc"], Some("back"), "back; nothing is done"),
        row("templates.take", S::Templates, A::TakeTemplate, &["enter"], Some("take"), "insert it at the cursor; save the name"),
        row("templates.down", S::Templates, A::Move(Motion::Down), &["down", "ctrl-n"], Some("choose"), "next text"),
        row("templates.up", S::Templates, A::Move(Motion::Up), &["up", "ctrl-p"], None, "previous text"),
        row("templates.page-down", S::Templates, A::Move(Motion::PageDown), &["pgdn"], None, "a page down"),
        row("templates.page-up", S::Templates, A::Move(Motion::PageUp), &["pgup"], None, "a page up"),
        row("templates.back", S::Templates, A::Back, &["esc"], Some("back"), "back to the text; nothing is inserted"),
        row("anywhere.help", S::Anywhere, A::Help, &["f1"], Some("all keys"), "every key that works here"),
        row("anywhere.redraw", S::Anywhere, A::Redraw, &["ctrl-l"], None, "draw the screen anew"),
        row("anywhere.quit", S::Anywhere, A::Interrupt, &["ctrl-c"], None, "quit; twice within 2 s: at once"),
    ]
};
