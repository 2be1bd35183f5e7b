//! np-tests
