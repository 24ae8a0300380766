pub(super) mod codes;
pub(super) mod connect;
