//! Flags and manners of zstd and xz.

use crate::sandbox::{NP_CLI, Sandbox, skipped};
use np_tests::inputs::{noise, text};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

#[test]
fn names_follow_from_names() {
    let sandbox = Sandbox::new();
    sandbox.write("a.txt", &text(500));
    let said = sandbox.ok(&["pack", "-1", "a.txt"]).stderr;
    assert!(said.contains("a.txt") && said.contains("500 =>") && said.contains("a.txt.np"), "{said}");
    std::fs::rename(sandbox.path("a.txt"), sandbox.path("old")).unwrap();
    sandbox.ok(&["unpack", "a.txt.np"]);
    assert_eq!(sandbox.read("a.txt"), sandbox.read("old"));
    sandbox.write("odd", &sandbox.read("a.txt.np"));
    sandbox.fails(&["unpack", "odd"], 1, "-o");
    sandbox.ok(&["unpack", "odd", "-o", "even"]);
    assert_eq!(sandbox.read("even"), sandbox.read("old"));
}

#[test]
fn the_source_is_kept_unless_told_otherwise() {
    let sandbox = Sandbox::new();
    sandbox.write("a", &noise(300, 1));
    sandbox.ok(&["pack", "-1", "a"]);
    sandbox.ok(&["pack", "-1", "-f", "--rm", "-k", "a"]);
    assert!(sandbox.names().contains("a"), "-k after --rm");
    sandbox.ok(&["pack", "-1", "-f", "-k", "--rm", "a"]);
    assert_eq!(sandbox.names(), ["a.np".to_owned()].into());
    sandbox.ok(&["unpack", "--rm", "a.np"]);
    assert_eq!(sandbox.names(), ["a".to_owned()].into());
    assert_eq!(sandbox.read("a"), noise(300, 1));
    sandbox.fails(&["pack", "-1", "--rm", "-c", "a"], 2, "--rm");
    sandbox.fails(&["pack", "-1", "--rm", "a", "-o", "/dev/null"], 1, "--rm");
    assert!(sandbox.names().contains("a"));
}

#[test]
fn nothing_is_overwritten_without_f() {
    let sandbox = Sandbox::new();
    sandbox.write("a", b"input").write("a.np", b"precious");
    sandbox.fails(&["pack", "-1", "a"], 1, "-f");
    assert_eq!(sandbox.read("a.np"), b"precious");
    sandbox.ok(&["pack", "-1", "-f", "a"]);
    assert_ne!(sandbox.read("a.np"), b"precious");
    sandbox.fails(&["unpack", "a.np"], 1, "-f");
    sandbox.ok(&["unpack", "a.np", "--force"]);
    sandbox.fails(&["pack", "-1", "a", "-o", "."], 1, "directory");
}

#[test]
fn quiet_says_nothing_and_verbose_shows_the_ledger() {
    let sandbox = Sandbox::new();
    sandbox.write("a", &noise(1000, 3));
    assert_eq!(sandbox.ok(&["pack", "-1", "-q", "a"]).stderr, "");
    assert_eq!(sandbox.ok(&["unpack", "-q", "-f", "a.np"]).stderr, "");
    assert_eq!(sandbox.ok(&["verify", "-q", "a.np"]).stderr, "");
    assert!(!sandbox.fails(&["pack", "-1", "-q", "a"], 1, "-f").stderr.is_empty(), "errors are still told");
    let said = sandbox.ok(&["pack", "-1", "-v", "-f", "a"]).stderr;
    let bits = 8 * sandbox.read("a.np").len();
    assert!(said.contains("checksums") && said.contains(&format!("{bits} bits")), "{said}");
    let said = sandbox.ok(&["pack", "-1", "-f", "a"]).stderr;
    assert!(said.contains("no generator found; stored, 13 bytes larger"), "{said}");
    assert!(sandbox.ok(&["verify", "-v", "a.np"]).stderr.contains("checksums"));
}

#[test]
fn pipes_are_quiet_and_are_the_default_without_a_file() {
    let sandbox = Sandbox::new();
    let packed = sandbox.pipe(&["pack", "-1"], b"through a pipe");
    assert_eq!((packed.code, packed.stderr.as_str()), (Some(0), ""));
    let back = sandbox.pipe(&["unpack"], &packed.stdout);
    assert_eq!((back.code, back.stderr.as_str(), &back.stdout[..]), (Some(0), "", &b"through a pipe"[..]));
    assert_eq!(sandbox.pipe(&["verify"], &packed.stdout).code, Some(0));
    let named = sandbox.pipe(&["pack", "-1", "-", "-o", "a.np"], b"through a pipe");
    assert_eq!(named.code, Some(0), "{}", named.stderr);
    assert_eq!(sandbox.read("a.np"), packed.stdout);
    assert_eq!(sandbox.ok(&["unpack", "a.np", "-o", "-"]).stdout, b"through a pipe");
    assert_eq!(sandbox.ok(&["unpack", "a.np", "--stdout"]).stdout, b"through a pipe");
    assert_eq!(sandbox.names().len(), 1);
}

#[test]
fn several_files_one_of_them_bad() {
    let sandbox = Sandbox::new();
    sandbox.write("a", b"a").write("b", b"b");
    let ran = sandbox.run(&["pack", "-1", "a", "missing", "b"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("missing"), "{}", ran.stderr);
    assert!(sandbox.names().contains("a.np") && sandbox.names().contains("b.np"));
    assert_eq!(sandbox.ok(&["unpack", "-c", "a.np", "b.np"]).stdout, b"ab");
    sandbox.ok(&["verify", "a.np", "b.np"]);
    let ran = sandbox.run(&["verify", "a.np", "a", "b.np"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("b.np : ok"), "{}", ran.stderr);
    sandbox.fails(&["pack", "-c", "a", "b"], 2, "one by one");
    sandbox.fails(&["pack", "a", "b", "-o", "c"], 2, "-o");
    sandbox.fails(&["unpack", "a.np", "b.np", "-o", "c"], 2, "-o");
}

#[test]
fn usage_errors_have_their_own_code() {
    let sandbox = Sandbox::new();
    sandbox.write("a", b"a");
    for args in [
        &["pack", "--nonsense", "a"][..],
        &["nonsense"],
        &[],
        &["pack", "a", "--level", "10"],
        &["pack", "a", "--block-bits", "100"],
        &["pack", "a", "--block-bits", "129"],
        &["pack", "a", "--segment-size", "1023"],
        &["pack", "a", "--segment-size", "33M"],
        &["pack", "a", "--segment-size", "1Q"],
        &["pack", "a", "--backend", "abacus"],
        &["pack", "a", "--radius", "-1"],
        &["pack", "a", "--radius", "4000000000"],
        &["pack", "a", "-o", "b", "-c"],
        &["pack", "a", "-q", "-v"],
        &["pack", "-", "-"],
        &["unpack", "a", "--max-output", "many"],
        &["completions", "nonsense"],
    ] {
        let before = sandbox.names();
        let ran = sandbox.run(args);
        assert_eq!(ran.code, Some(2), "{args:?}: {}", ran.stderr);
        assert!(!ran.stderr.is_empty() && ran.stdout.is_empty(), "{args:?}");
        assert_eq!(sandbox.names(), before, "{args:?}");
    }
    for args in [&["--help"][..], &["pack", "--help"], &["--version"]] {
        assert!(!sandbox.ok(args).stdout.is_empty());
    }
}

#[cfg(unix)]
#[test]
fn mode_and_times_are_carried_over() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    sandbox.write("a", b"content");
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    let file = std::fs::File::options().write(true).open(sandbox.path("a")).unwrap();
    file.set_times(std::fs::FileTimes::new().set_modified(modified)).unwrap();
    file.set_permissions(std::fs::Permissions::from_mode(0o640)).unwrap();
    sandbox.ok(&["pack", "-1", "a"]);
    sandbox.ok(&["unpack", "a.np", "-o", "b"]);
    for name in ["a.np", "b"] {
        let found = std::fs::metadata(sandbox.path(name)).unwrap();
        assert_eq!(found.permissions().mode() & 0o7777, 0o640, "{name}");
        assert_eq!(found.modified().unwrap(), modified, "{name}");
    }
}

#[cfg(unix)]
#[test]
fn output_from_a_pipe_has_the_mode_of_any_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    sandbox.write("new", b"");
    assert_eq!(sandbox.pipe(&["pack", "-1", "-o", "a.np"], b"x").code, Some(0));
    let mode = |name| std::fs::metadata(sandbox.path(name)).unwrap().permissions().mode();
    assert_eq!(mode("a.np"), mode("new"));
}

/// `script` (util-linux) runs a command on a terminal of its own.
#[cfg(target_os = "linux")]
#[test]
fn packed_data_is_not_written_to_a_terminal() {
    let sandbox = Sandbox::new();
    sandbox.write("a", b"content");
    let on_terminal = |command: &str| {
        let mut script = Command::new("script");
        script.args(["-qec", command, "/dev/null"]).current_dir(sandbox.root()).stdin(Stdio::null());
        script.output().ok()
    };
    let Some(refused) = on_terminal(&format!("{NP_CLI} pack -1 < a")) else {
        return skipped("packed_data_is_not_written_to_a_terminal", "there is no `script`");
    };
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stdout).contains("terminal"));
    for meant in ["-c", "-f"] {
        let allowed = on_terminal(&format!("{NP_CLI} pack -1 {meant} < a")).unwrap();
        assert_eq!(allowed.status.code(), Some(0), "{meant}");
        assert!(allowed.stdout.windows(3).any(|w| w == [b'N', b'P', 0xf7]), "{meant}");
    }
    let no_file = on_terminal(&format!("{NP_CLI} pack")).unwrap();
    assert_eq!(no_file.status.code(), Some(2));
    // With a terminal there is progress, which must not disturb the output.
    let shown = on_terminal(&format!("{NP_CLI} pack -1 a")).unwrap();
    assert_eq!(shown.status.code(), Some(0));
    assert_eq!(sandbox.ok(&["unpack", "-c", "a.np"]).stdout, b"content");
}
