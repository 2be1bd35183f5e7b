#!/usr/bin/env python3
"""Kills a packing run again and again, resumes it, and compares the file with one of a run left alone: kills.py NP_CLI [KILLS [SECONDS]].

Each file is packed by a run that is killed (SIGKILL) up to twelve times, each time after 0 to SECONDS seconds, and then left to
finish. After each kill there is the input, the session or none, and the output whole or not at all; where the file
system has files without a name (Linux), nothing else. Prints kills, files, and how long the last runs took against one that was not killed.
"""

import hashlib
import os
import random
import subprocess
import sys
import tempfile
import time


def contents():
    """Records of 64 bytes with flipped bits, whose seeds must be mined, and noise."""
    pick = random.Random(11)
    out = bytearray()
    for _ in range(256):
        record = bytearray(random.Random(pick.randrange(1 << 14)).randbytes(64))
        out += record
    # Noise that no generator here explains.
    block = b"noise"
    while len(out) < 90_000:
        block = hashlib.sha256(block).digest()
        out += block
    return bytes(out)


def main():
    np_cli = os.path.abspath(sys.argv[1])
    wanted = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    longest = float(sys.argv[3]) if len(sys.argv) > 3 else 4
    pick = random.Random(1)
    kills = files = resumed = lost = 0
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "in")
        with open(source, "wb") as file:
            file.write(contents())
        pack = [np_cli, "pack", "-q", "-6", "--backend", "cpu", "--segment-size", "32K", source, "-o"]
        alone, killed = os.path.join(folder, "alone.np"), os.path.join(folder, "killed.np")
        start = time.perf_counter()
        subprocess.run([*pack, alone], check=True)
        took = time.perf_counter() - start
        reference = open(alone, "rb").read()
        while kills < wanted:
            for _ in range(min(pick.randrange(1, 13), wanted - kills)):
                run = subprocess.Popen([*pack, killed, "--resume"])
                time.sleep(pick.random() * longest)
                if run.poll() is not None:
                    break
                run.kill()
                run.wait()
                kills += 1
                resumed += os.path.exists(killed + "-session")
                stray = set(os.listdir(folder)) - {"in", "alone.np", "killed.np", "killed.np-session"}
                assert not stray or not sys.platform.startswith("linux"), stray
            if not os.path.exists(killed):
                subprocess.run([*pack, killed, "--resume"], check=True)
            elif os.path.exists(killed + "-session"):
                # Killed between the output and the end of its session.
                os.remove(killed + "-session")
            files += 1
            lost += open(killed, "rb").read() != reference
            os.remove(killed)
            left = set(os.listdir(folder)) - {"in", "alone.np"}
            assert not left, left
            print(f"{kills} kills, {files} files, {lost} of them differ", flush=True)
    print(f"{kills} kills ({resumed} left a session), {files} files, {files - lost} identical; alone it takes {took:.1f} s")
    sys.exit(1 if lost else 0)


if __name__ == "__main__":
    main()
