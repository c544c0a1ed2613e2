"""Give the decoders millions of damaged frames: `make fuzz ARGS="--seconds 600"`.

Inputs are mutations of captures and vectors, and frames whose structure is known and
whose counts, sizes and names lie. Whatever the bytes, a decoder may raise FrameError and
nothing else, what it read is written back to the same bytes, the reassembler accounts for
every byte, and whatever could be read can be printed and checked.

An input that breaks this is saved, and `--replay FILE` runs it again. Data frames are read
with configurations that were inputs before, so that for them the whole run has to be
repeated with its seed.
"""

import argparse
import sys
import time
import traceback
from pathlib import Path

from fuzz.fuzzer import Fuzzer

_REPORT_S = 10.0


def run(seed: int, *, seconds: float, inputs: int | None, findings: Path) -> int:
    """Fuzz until the time or the number of inputs is over; return the exit code."""
    fuzzer = Fuzzer(seed)
    start = last = time.monotonic()
    while time.monotonic() - start < seconds and (inputs is None or fuzzer.inputs < inputs):
        raw = fuzzer.input()
        try:
            fuzzer.check(raw)
            fuzzer.learn(raw)
        except Exception:
            path = findings / f"fuzz-{seed}-{fuzzer.inputs}.bin"
            path.write_bytes(raw)
            traceback.print_exc()
            print(f"input {fuzzer.inputs} of seed {seed} is kept: --replay {path}")
            return 1
        if time.monotonic() - last >= _REPORT_S:
            last = time.monotonic()
            print(f"{fuzzer.inputs} inputs, {fuzzer.inputs / (last - start):.0f} a second")
    took = time.monotonic() - start
    print(
        f"{fuzzer.inputs} inputs in {took:.1f} s ({fuzzer.inputs / took:.0f} a second), seed "
        f"{seed}: {fuzzer.accepted} were read, no decoder raised anything but FrameError"
    )
    return 0


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long (60)")
    parser.add_argument("--inputs", type=int, help="stop after this many inputs")
    parser.add_argument("--seed", type=int, help="of the inputs (that of the clock)")
    parser.add_argument("--findings", type=Path, default=Path(), help="folder for failing inputs")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="run one kept input")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else time.time_ns() % 2**32
    if options.replay:
        Fuzzer(seed).check(options.replay.read_bytes())
        print(f"{options.replay}: nothing wrong")
        return
    findings = options.findings
    sys.exit(run(seed, seconds=options.seconds, inputs=options.inputs, findings=findings))


if __name__ == "__main__":
    main()
