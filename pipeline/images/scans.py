"""Whether all scans of a progressive JPEG are there: of those that are not, libjpeg says nothing.

Each scan gives some coefficients of some components down to some bit; together they give all 64 of every component
down to the last one (ITU-T T.81, G.1.1.1). A download that broke off lacks the last ones, also where a repair tool put
an end marker behind it.
"""

from __future__ import annotations

import struct

COEFFICIENTS = 64
_START, _END = b"\xff\xda", b"\xff\xd9"
_SHORTEST = 10
"""Bytes of the head of a scan of one component."""


def lacks_scans(data: bytes, first: int, components: int) -> bool:
    """Whether a progressive JPEG leaves coefficients unknown, or known to some bits only.

    Args:
        data: the file's bytes, with an end marker.
        first: where its first scan starts.
        components: that it has.
    """
    end = data.find(_END, first)
    lowest: dict[int, list[int]] = {}
    while 0 <= first <= end - _SHORTEST:
        length, count = struct.unpack_from(">HB", data, first + 2)
        # Anything else is no head of a scan, but two bytes of a table that look like one.
        if length == 6 + 2 * count:
            start, stop, bits = data[first + 5 + 2 * count : first + 8 + 2 * count]
            for component in data[first + 5 : first + 5 + 2 * count : 2]:
                known = lowest.setdefault(component, [COEFFICIENTS] * COEFFICIENTS)
                known[start : stop + 1] = [bits & 15] * len(known[start : stop + 1])
        first = data.find(_START, first + 2)
    return len(lowest) < components or any(map(any, lowest.values()))
