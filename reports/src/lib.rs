//! tierwise-reports.
