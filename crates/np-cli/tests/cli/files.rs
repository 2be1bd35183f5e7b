//! Files that cannot be read or written, or are not what they seem.

use crate::sandbox::{Sandbox, skipped, wait};
use np_tests::inputs::{noise, text};
use std::io::{Read, Write};
use std::process::{Command, Stdio};

#[test]
fn missing_input_and_missing_folder() {
    let sandbox = Sandbox::new();
    sandbox.write("a", b"a");
    for verb in ["pack", "unpack", "verify", "info", "mine", "bench"] {
        sandbox.fails(&[verb, "missing.np"], 1, "missing.np");
    }
    sandbox.fails(&["pack", "-1", "a", "-o", "no/such/folder/a.np"], 1, "no/such/folder");
    let long = "x".repeat(300);
    sandbox.fails(&["pack", "-1", "a", "-o", &long], 1, &long);
}

#[test]
fn long_names_and_long_paths() {
    let sandbox = Sandbox::new();
    // With .np it is as long as a name may be; the temporary file's name does not grow with it.
    let name = "n".repeat(252);
    let deep: String = (0..12).map(|_| "d".repeat(250) + "/").collect();
    std::fs::create_dir_all(sandbox.path(&deep)).unwrap();
    for path in [name.clone(), deep.clone() + &name] {
        sandbox.write(&path, &text(300));
        sandbox.ok(&["pack", "-1", "--rm", &path]);
        sandbox.ok(&["unpack", "--rm", &(path.clone() + ".np")]);
        assert_eq!(sandbox.read(&path), text(300));
    }
    sandbox.write(&"m".repeat(253), b"a");
    sandbox.fails(&["pack", "-1", &"m".repeat(253)], 1, "cannot write mmm");
    let endless = "e/".repeat(3000) + "e";
    sandbox.fails(&["pack", "-1", &endless], 1, "cannot read e/e");
}

#[test]
fn directories_and_devices_are_refused() {
    let sandbox = Sandbox::new();
    std::fs::create_dir(sandbox.path("folder")).unwrap();
    for verb in ["pack", "unpack", "verify", "info", "mine", "bench"] {
        sandbox.fails(&[verb, "folder"], 1, "folder is a directory");
        #[cfg(unix)]
        sandbox.fails(&[verb, "/dev/zero"], 1, "/dev/zero is not a regular file");
    }
}

#[cfg(unix)]
#[test]
fn the_input_is_never_the_output() {
    let sandbox = Sandbox::new();
    sandbox.write("a", &text(100));
    std::fs::hard_link(sandbox.path("a"), sandbox.path("hard")).unwrap();
    std::os::unix::fs::symlink("a", sandbox.path("soft")).unwrap();
    for output in ["a", "hard", "soft", "./a"] {
        sandbox.fails(&["pack", "-1", "-f", "a", "-o", output], 1, "is the input itself");
    }
    sandbox.fails(&["pack", "-1", "-f", "soft", "-o", "a"], 1, "is the input itself");
    // Appended to itself, a file would grow for ever.
    let file = |append| std::fs::File::options().read(true).append(append).open(sandbox.path("a")).unwrap();
    let ran = wait(
        sandbox
            .command(&["pack", "-1"])
            .stdin(file(false))
            .stdout(file(true))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("both input and output"), "{}", ran.stderr);
    assert_eq!(sandbox.read("a"), text(100));
}

#[cfg(unix)]
#[test]
fn links() {
    let sandbox = Sandbox::new();
    sandbox.write("a", &text(100)).write("other", b"other");
    std::os::unix::fs::symlink("a", sandbox.path("link")).unwrap();
    std::os::unix::fs::symlink("other", sandbox.path("out.np")).unwrap();
    std::os::unix::fs::symlink("nowhere", sandbox.path("dangling")).unwrap();
    sandbox.fails(&["pack", "-1", "--rm", "link"], 1, "link");
    sandbox.fails(&["pack", "-1", "a", "-o", "dangling"], 1, "-f");
    sandbox.fails(&["pack", "-1", "a", "-o", "out.np"], 1, "-f");
    // The link is replaced, not what it leads to.
    sandbox.ok(&["pack", "-1", "-f", "link", "-o", "out.np"]);
    assert_eq!(sandbox.read("other"), b"other");
    assert_eq!(sandbox.ok(&["unpack", "-c", "out.np"]).stdout, text(100));
}

#[cfg(unix)]
#[test]
fn pipes_with_names_can_be_read_and_written() {
    let sandbox = Sandbox::new();
    let fifo = sandbox.path("fifo");
    if !Command::new("mkfifo").arg(&fifo).status().is_ok_and(|status| status.success()) {
        return skipped("pipes_with_names_can_be_read_and_written", "there is no `mkfifo`");
    }
    let write = |content: &[u8]| {
        let (fifo, content) = (fifo.clone(), content.to_vec());
        std::thread::spawn(move || std::fs::write(fifo, content).unwrap())
    };
    let writer = write(&text(1000));
    let packed = sandbox.ok(&["pack", "-1", "-c", "fifo"]).stdout;
    writer.join().unwrap();
    assert_eq!(sandbox.pipe(&["unpack"], &packed).stdout, text(1000));
    sandbox.write("a", &text(1000));
    let reader = Command::new("cat").arg(&fifo).stdout(Stdio::piped()).spawn().unwrap();
    sandbox.ok(&["pack", "-1", "a", "-o", "fifo"]);
    assert_eq!(wait(reader).stdout, packed);
    let still_there = std::fs::symlink_metadata(&fifo).unwrap();
    assert!(!still_there.is_file(), "the pipe was replaced");
}

#[cfg(target_os = "linux")]
#[test]
fn a_device_is_written_to_not_replaced() {
    let sandbox = Sandbox::new();
    sandbox.write("a", b"a");
    sandbox.ok(&["pack", "-1", "a", "-o", "/dev/null"]);
    sandbox.ok(&["pack", "-1", "-f", "a", "-o", "/dev/null"]);
    assert_eq!(std::fs::read("/dev/null").unwrap(), b"");
    sandbox.fails(&["pack", "-1", "a", "-o", "/dev/full"], 1, "No space left");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk() {
    let sandbox = Sandbox::new();
    sandbox.write("a", &noise(200_000, 1));
    sandbox.ok(&["pack", "-1", "a", "-o", "good.np"]);
    for args in [&["pack", "-1", "-c", "a"][..], &["unpack", "-c", "good.np"], &["info", "--json", "good.np"]]
    {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let ran = wait(sandbox.command(args).stdout(full).stderr(Stdio::piped()).spawn().unwrap());
        assert_eq!(ran.code, Some(1), "{args:?}");
        assert!(ran.stderr.contains("No space left"), "{args:?}: {}", ran.stderr);
    }
    let disk = sandbox.path("disk");
    std::fs::create_dir(&disk).unwrap();
    let mount = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "none"]).arg(&disk).output();
    if !mount.is_ok_and(|mount| mount.status.success()) {
        return skipped("a_full_disk (on a file system)", "a tmpfs cannot be mounted here");
    }
    let results = [
        sandbox.run(&["pack", "-1", "a", "-o", "disk/a.np"]),
        sandbox.run(&["unpack", "good.np", "-o", "disk/a"]),
    ];
    let left = std::fs::read_dir(&disk).unwrap().count();
    let unmounted = Command::new("umount").arg(&disk).status();
    assert!(unmounted.is_ok_and(|status| status.success()));
    for ran in results {
        assert_eq!(ran.code, Some(1));
        assert!(ran.stderr.contains("No space left") && ran.stderr.contains("disk/a"), "{}", ran.stderr);
    }
    assert_eq!(left, 0, "something was left on the full disk");
}

/// A target that may not be written is replaced, with -f, as any file of the folder may be; its mode is the input's.
#[cfg(unix)]
#[test]
fn a_read_only_target_is_left_alone_or_replaced() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    sandbox.write("a", b"a").write("a.np", b"precious");
    let mode = |name: &str, mode| {
        std::fs::set_permissions(sandbox.path(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("a.np", 0o400);
    mode("a", 0o600);
    sandbox.fails(&["pack", "-1", "a"], 1, "-f");
    assert_eq!(sandbox.read("a.np"), b"precious");
    sandbox.ok(&["pack", "-1", "-f", "a"]);
    let found = std::fs::metadata(sandbox.path("a.np")).unwrap().permissions().mode();
    assert_eq!(found & 0o777, 0o600);
    assert_eq!(sandbox.ok(&["unpack", "-c", "a.np"]).stdout, b"a");
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written() {
    use std::os::unix::fs::PermissionsExt;
    let sandbox = Sandbox::new();
    sandbox.write("a", b"a");
    let folder = sandbox.path("folder");
    std::fs::create_dir(&folder).unwrap();
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o500)).unwrap();
    let root = std::fs::write(folder.join("probe"), b"").is_ok();
    if root {
        return skipped("a_folder_that_cannot_be_written", "root may write anywhere");
    }
    sandbox.fails(&["pack", "-1", "a", "-o", "folder/a.np"], 1, "folder/a.np");
}

/// Starts packing `big` in pieces with nobody to take the output, so that it must wait; then does
/// `change` and lets it go on.
fn pack_while(change: impl FnOnce(&Sandbox)) -> (Option<i32>, String) {
    let sandbox = Sandbox::new();
    sandbox.write("big", &noise(8 << 20, 5));
    let mut child = sandbox.spawn(&["pack", "-1", "-T1", "--segment-size", "64K", "-c", "big"]);
    let mut first = [0; 1];
    child.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    change(&sandbox);
    let ran = wait(child);
    (ran.code, ran.stderr)
}

#[test]
fn an_input_that_changes_while_it_is_read() {
    let (code, said) = pack_while(|_| {});
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = pack_while(|sandbox| {
        let mut file = std::fs::File::options().append(true).open(sandbox.path("big")).unwrap();
        file.write_all(b"more").unwrap();
    });
    assert_eq!(code, Some(1), "grown: {said}");
    assert!(said.contains("big: changed while it was read"), "{said}");
    let (code, said) = pack_while(|sandbox| {
        let file = std::fs::File::options().write(true).open(sandbox.path("big")).unwrap();
        file.set_len(5 << 20).unwrap();
    });
    assert_eq!(code, Some(1), "shrunk: {said}");
    assert!(said.contains("big: changed while it was read"), "{said}");
}

#[cfg(unix)]
#[test]
fn an_input_that_vanishes_while_it_is_read_is_still_packed() {
    let (code, said) = pack_while(|sandbox| std::fs::remove_file(sandbox.path("big")).unwrap());
    assert_eq!(code, Some(0), "an open file stays whole: {said}");
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_text() {
    use std::os::unix::ffi::OsStrExt;
    let sandbox = Sandbox::new();
    let name = std::ffi::OsStr::from_bytes(b"odd\xff name\n");
    std::fs::write(sandbox.root().join(name), b"content").unwrap();
    for verb in ["pack", "mine", "bench"] {
        let output = sandbox.command(&[verb, "-1"]).arg(name).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{verb}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let mut packed = name.to_owned();
    packed.push(".np");
    assert!(sandbox.root().join(&packed).exists());
    for args in [&["verify"][..], &["info", "--json"], &["unpack", "-c"]] {
        let output = sandbox.command(args).arg(&packed).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{args:?}");
    }
}
