//! What can be asked of a service: operations that change something, and queries that do not.

use crate::{NewElevationRequest, RequestId, Untrusted};

/// A change that the agent confirmed. One is recorded before it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Open a request. There is no idempotency key: sending it twice opens two.
    Create(NewElevationRequest),
    /// Close a request. Repeating it is harmless.
    Close(CloseElevationRequest),
}

/// A close that is fit to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloseElevationRequest {
    /// The request.
    pub id: RequestId,
    /// Its device: the request is read back by it, also by the process that finds this operation left behind.
    pub device: Untrusted,
    /// What was done on the device, exactly as it was typed.
    pub actions_taken: String,
}

/// Which requests to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// Those of the device with this name, open and closed.
    Device(String),
    /// Those of the tenant that are open.
    Open,
}

/// A managed device, as the service tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// `name`. It can be blank, and the device can be renamed.
    pub name: Untrusted,
    /// `serialNumber`
    pub serial_number: Untrusted,
    /// `userUpn`, or `assignedUser` where there is none.
    pub user: Untrusted,
    /// `manufacturer` and `model`
    pub model: Untrusted,
    /// `primaryUpdateRing`: elevation is not offered for `Test`.
    pub update_ring: Untrusted,
}
