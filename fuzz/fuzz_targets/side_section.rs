//! Any bytes as a side section: run table and grid are read or refused. Any run table comes back.
#![no_main]

use libfuzzer_sys::fuzz_target;
use np_fuzz::AnyRunTable;
use np_tests::properties::{any_side_section_is_read, run_tables_come_back};

fuzz_target!(|case: (u16, AnyRunTable, &[u8])| {
    let (len, table, bytes) = case;
    any_side_section_is_read(bytes, len.into());
    any_side_section_is_read(&table.section(), len.into());
    let (runs, len) = table.runs();
    run_tables_come_back(&runs, len);
});
