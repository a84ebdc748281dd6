"""What a run of the suite says: one table, as text and as Markdown, and one JSON file."""

import json
import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from tests.gpu.check import FAILED, MEASURED, NOT_SHOWN, PASSED, Check, Finding, Status


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of a check. `trouble` is why it has no answer: it crashed, hung, or left something."""

    check: Check
    findings: tuple[Finding, ...]
    trouble: str | None
    seconds: float

    @property
    def status(self) -> Status:
        """The worst of its findings; one of which nothing was judged is only measured, or not shown."""
        found = {finding.status for finding in self.findings}
        if self.trouble or FAILED in found or not found:
            return FAILED
        return next(status for status in (PASSED, MEASURED, NOT_SHOWN) if status in found)

    @property
    def shortfalls(self) -> list[str]:
        """What was not as wanted, in words."""
        said = [described(one) for one in self.findings if one.status == FAILED]
        if self.trouble:
            said.append(self.trouble)
        return said or (["it found nothing"] if not self.findings else [])


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Where the suite ran."""

    device: str
    system: str
    torch: str
    cuda: str | None
    driver: str | None

    @property
    def line(self) -> str:
        cuda = f", CUDA {self.cuda}, driver {self.driver}" if self.driver else ""
        return f"{self.device}; PyTorch {self.torch}{cuda}; {self.system}"


def system() -> str:
    """The operating system and Python."""
    return f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"


def described(finding: Finding) -> str:
    """One finding in words."""
    wanted = f" (wanted {finding.wanted})" if finding.wanted and finding.status != PASSED else ""
    kept = f" ({finding.wanted})" if finding.wanted and finding.status == PASSED else ""
    mark = " [not shown]" if finding.status == NOT_SHOWN else ""
    return f"{finding.what}: {finding.found}{wanted}{kept}{mark}"


def markdown(results: Sequence[Result], machine: Machine) -> str:
    """The table for docs/gpu.md, under a line that says where it was made."""
    rows = ["| # | check | result | s | found |", "|---|---|---|---|---|"]
    for result in results:
        said = [*map(described, result.findings), *([result.trouble] if result.trouble else [])]
        found = "; ".join(said).replace("|", "\\|").replace("\n", " ")
        cells = (result.check.number, result.check.name, result.status, f"{result.seconds:.0f}", found)
        rows.append(f"| {' | '.join(map(str, cells))} |")
    return f"On {machine.line}.\n\n" + "\n".join(rows) + "\n"


def text(results: Sequence[Result]) -> Iterator[str]:
    """The table for a terminal, and then what fell short with its remedy."""
    yield f"{'#':>2}  {'check':<22} {'result':<10} {'s':>5}"
    for result in results:
        yield f"{result.check.number:>2}  {result.check.name:<22} {result.status:<10} {result.seconds:>5.0f}"
        for finding in result.findings:
            yield f"      {finding.status:<10} {described(finding)}"
    short = [result for result in results if result.status == FAILED]
    yield f"{len(results) - len(short)} of {len(results)} checks did not fall short."
    for result in short:
        yield f"FELL SHORT {result.check.number} {result.check.name}: {'; '.join(result.shortfalls)}"
        yield f"    passes when: {result.check.criterion}"
        yield f"    remedy: {result.check.remedy}"


def as_json(results: Sequence[Result], machine: Machine, seed: int) -> str:
    """All of it as data."""
    checks = [
        {
            **asdict(result.check),
            "status": result.status,
            "seconds": result.seconds,
            "trouble": result.trouble,
            "findings": [asdict(finding) for finding in result.findings],
        }
        for result in results
    ]
    fell_short = [result.check.number for result in results if result.status == FAILED]
    whole = {"machine": asdict(machine), "seed": seed, "fell_short": fell_short, "checks": checks}
    return json.dumps(whole, indent=1) + "\n"
