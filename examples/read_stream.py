"""Receive a C37.118 stream and print its first phasor.

pmu serve --idcode 1 --port 4712                          # in another terminal
python examples/read_stream.py localhost 4712 1 5         # host, port, IDCODE, frames
"""

import cmath
import math
import sys

from grid import c37118
from grid.transport import client


def main(host: str, port: int, idcode: int, frames: int) -> None:
    """Print `frames` frames of the stream."""
    stations: tuple[c37118.Station, ...] = ()
    for event in client.receive(host, port, idcode=idcode):
        if isinstance(event, client.Configured):
            stations = event.configuration.stations
        elif isinstance(event, client.Frame):
            for station, block in zip(stations, event.data.pmus, strict=True):
                values = c37118.read(station, block)
                magnitude, angle = cmath.polar(values.phasors[0])
                second = event.data.stamp.soc + event.fraction
                print(
                    f"{second:.3f} s  {station.name} {station.phasors[0]}: {magnitude:.1f} "
                    f"at {math.degrees(angle):.2f} deg, {values.frequency_hz:.4f} Hz"
                )
            frames -= 1
        elif isinstance(event, client.Disconnected):
            sys.exit(f"{event.address}: {event.why}")
        if not frames:
            return


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
