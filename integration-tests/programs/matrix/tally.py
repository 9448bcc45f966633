"""What came of the cells: counts, differences, and which ways were gone by whom."""
import itertools
from collections import Counter
from dataclasses import dataclass, field

from matrix import table

GRPC, WEB = "gRPC", "gRPC-Web"


@dataclass
class Tally:
    # By the kind of transport, the expected code, and whether the caller is admitted.
    cells: Counter = field(default_factory=Counter)
    # RPCs, transports or routes, and whether somebody was admitted, or refused.
    met: set = field(default_factory=set)
    # Answers that were compared with those for absent ids.
    twins: int = 0
    differences: list = field(default_factory=list)
    # Names in requests that were refused: nothing may be called so.
    refused: set = field(default_factory=set)

    def add(self, other: "Tally") -> None:
        self.cells += other.cells
        self.met |= other.met
        self.twins += other.twins
        self.differences += other.differences
        self.refused |= other.refused

    def unmet(self, rpcs: list, rows: dict) -> list:
        """Transports and routes by which nobody was admitted, or nobody was refused."""
        lines = []
        for rpc in rpcs:
            is_public = any(check.where == "public" for check in rpc.checks)
            ways = [GRPC, *map(str, table.routes(rpc, rows[rpc.full_name]))]
            for way, admitted in itertools.product(ways, (True,) if is_public else (True, False)):
                if (rpc.full_name, way, admitted) not in self.met:
                    lines.append(f"{rpc}, {way}: nobody was {'admitted' if admitted else 'refused'}")
        return lines

    def counts(self) -> list:
        """A line for each code."""
        codes = Counter()
        for (_, code, kind), count in self.cells.items():
            codes[code, kind] += count
        return [f"{count:6} {kind:8} {code}" for (code, kind), count in sorted(codes.items(), key=lambda entry: entry[0][::-1])]

    def summary(self) -> str:
        ways = Counter()
        for (way, *_), count in self.cells.items():
            ways[way] += count
        return f"{self.cells.total()} cells ({', '.join(f'{count} {way}' for way, count in ways.items())})"
