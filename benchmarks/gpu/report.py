"""The page in Markdown: every number in it is the run's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from benchmarks.engine.markdown import table_lines
from benchmarks.engine.work import Work
from benchmarks.service.figures import table

from .measured import Measured
from .sides import CPU_THREADS, GPU_SIDES, SIDES, side_of
from .targets import all_targets

RATES, SHARES = "gpu-rates.svg", "gpu-shares.svg"

_INTRODUCTION = f"""\
One candidate, one pass over all patterns: chunks as a training runs them, by wall clock, with what comes back to the
host after each; the median of some samples, after a first chunk that does not count. Patterns are random, no candidate
stops. Of the candidates' products (4 × patterns × features operations a candidate-epoch) beside it the TFLOP/s, and
the share of the card's own product. The CPU is the back end that its sizes choose, on {CPU_THREADS} cores of the same
machine; `auto` is what trains there where no back end is asked for.
"""


def rendered(measured: Measured) -> str:
    """The whole page; its plots lie beside it."""
    return "\n".join(_lines(measured))


def _lines(measured: Measured) -> Iterator[str]:
    card = measured.card
    yield f"# Training on a GPU{f': {card.name}' if card else ''}\n"
    yield f"`{measured.command}`, {measured.seconds / 60:.1f} minutes. How to run it: [benchmarks](../benchmarks.md).\n"
    if measured.is_quick:
        yield "**A quick run checks the benchmark; its figures mean nothing.**\n"
    if measured.missing:
        yield "Not measured:\n"
        yield from (f"- {what}: {why}" for what, why in measured.missing.items())
        yield ""
    yield from table_lines(("", ""), ((name, value) for name, value in measured.machine.items() if name != "FANN"))
    yield from _card(measured)
    yield from _targets(measured)
    yield from _rates(measured)
    yield from _layers(measured)
    yield from _trainings(measured)
    yield from _firsts(measured)


def _card(measured: Measured) -> Iterator[str]:
    card = measured.card
    if card is None:
        return
    yield "## The card\n"
    yield from table_lines(
        ("", ""),
        (
            ("card", f"{card.name}, {card.n_processors} multiprocessors, {card.memory_bytes / 2**30:.0f} GiB"),
            ("driver", f"{card.driver}, PyTorch's CUDA {card.cuda}"),
            ("copy, bytes read and written", f"{card.copy_bytes_per_s / 1e12:.2f} TB/s"),
            ("product of float32 without TF32, 8192³, random", f"{card.flops_per_s / 1e12:.1f} TFLOP/s"),
        ),
    )


def _targets(measured: Measured) -> Iterator[str]:
    lines = list(all_targets(measured))
    yield "## Targets\n"
    met, known = sum(line.is_met is True for line in lines), sum(line.is_met is not None for line in lines)
    unmeasured = f"; {len(lines) - known} not measured" if known < len(lines) else ""
    yield f"{met} of {known} are met{unmeasured}. Of the CUDA back ends the faster one counts.\n"
    yield table(lines)


def _rates(measured: Measured) -> Iterator[str]:
    if not measured.rates:
        return
    yield "## Candidate-epochs a second\n"
    yield _INTRODUCTION
    yield f"![Candidate-epochs a second over the pool]({RATES})\n"
    yield f"![Share of the card's product over the features]({SHARES})\n"
    works = measured.works
    yield from table_lines(
        ("patterns × inputs", "CPU", *GPU_SIDES, "GPU over CPU", "auto"),
        (
            (
                work.name,
                _per_s(measured.rate(work, "CPU")),
                *(_on_the_card(measured, work, measured.rate(work, side)) for side in GPU_SIDES),
                _times_the_cpu(measured, work),
                next(rate.auto for rate in measured.rates if rate.work == work),
            )
            for work in works
        ),
    )
    yield from _notes((f"{rate.work.name}, {rate.side}", rate.note) for rate in measured.rates)
    yield from _choices(measured, works)


def _per_s(per_s: float | None) -> str:
    return "–" if per_s is None else f"{per_s:.2e}"


def _on_the_card(measured: Measured, work: Work, per_s: float | None) -> str:
    if per_s is None:
        return "–"
    share = measured.of_peak(work, per_s)
    flops = f"{per_s * work.flops / work.pool / 1e12:.3g} TFLOP/s"
    return f"{per_s:.2e} ({flops}{'' if share is None else f', {share:.0%}'})"


def _times_the_cpu(measured: Measured, work: Work) -> str:
    cpu, fastest = measured.rate(work, "CPU"), measured.fastest(work)
    return f"{fastest[0] / cpu:.3g} ×" if cpu and fastest else "–"


def _choices(measured: Measured, works: Sequence[Work]) -> Iterator[str]:
    """How much is lost by what `auto` picks, where a GPU was measured."""
    slower: list[tuple[float, str]] = []
    n_compared = 0
    for work in works:
        fastest, auto = measured.fastest(work, SIDES), next(r.auto for r in measured.rates if r.work == work)
        chosen = measured.rate(work, side_of(auto))
        if fastest and chosen and measured.fastest(work):
            n_compared += 1
            if fastest[0] > chosen:
                slower.append((fastest[0] / chosen, f"{work.name}: {auto}, where {fastest[1]} is the fastest"))
    if n_compared:
        worst = f"; the worst choice costs a factor of {max(slower)[0]:.2g} ({max(slower)[1]})" if slower else ""
        yield f"`auto` picks the fastest in {n_compared - len(slower)} of {n_compared} cases{worst}.\n"


def _layers(measured: Measured) -> Iterator[str]:
    if not measured.layers:
        return
    yield "## Output layer\n"
    yield "Microseconds an epoch, without hidden units, measured as the candidates are.\n"
    sizes = list(dict.fromkeys(layer.work for layer in measured.layers))
    found = {(layer.work, layer.side): layer.epoch_us for layer in measured.layers}
    yield from table_lines(
        ("patterns × inputs", *SIDES),
        (
            (
                size.size,
                *("–" if (us := found.get((size, side))) is None else f"{us:,.1f}" for side in SIDES),
            )
            for size in sizes
        ),
    )
    yield from _notes((f"{layer.work.size}, {layer.side}", layer.note) for layer in measured.layers)


def _trainings(measured: Measured) -> Iterator[str]:
    if not measured.trainings:
        return
    yield "## Time to solve\n"
    yield (
        "Whole trainings with the defaults but for what is said, wall clock from raw arrays to a network, compiled "
        "code loaded; medians over as many seeds as begin within some seconds. *Start* is what checks and standardises "
        "the patterns and brings them to the device. Accuracy is that on patterns that were not trained on.\n"
    )
    problems = dict.fromkeys((one.problem, one.about) for one in measured.trainings)
    yield from (f"- {name}: {about}." for name, about in problems)
    yield ""
    yield from table_lines(
        ("set", "pool", "", "solved", "hidden units", "ms", "start", "output", "candidates", "accuracy"),
        (
            (
                one.problem,
                one.pool,
                one.side,
                f"{found.n_solved}/{found.n_seeds}" if found.accuracy is None else f"– ({found.n_seeds} seeds)",
                f"{found.units:g}",
                *(f"{1e3 * s:,.1f}" for s in (found.total_s, found.start_s, found.output_s, found.candidate_s)),
                "–" if found.accuracy is None else f"{found.accuracy:.3f}",
            )
            for one in measured.trainings
            if (found := one.found) is not None
        ),
    )
    yield from _notes((f"{one.problem}, pool {one.pool}, {one.side}", one.note) for one in measured.trainings)


def _firsts(measured: Measured) -> Iterator[str]:
    if not measured.firsts:
        return
    yield "## The first training of a process\n"
    yield (
        "A fresh process trains on the CMU spirals with the defaults: without compiled code on the disk, and with what "
        "the process before it left there. Seconds.\n"
    )
    yield from table_lines(
        ("", "compiled code", "whole process", "first import to first network", "the same training again"),
        (
            (one.side, "there" if one.is_cached else "none", *(f"{s:.3g}" for s in seconds))
            for one in measured.firsts
            if None not in (seconds := (one.process_s, one.first_s, one.again_s))
        ),
    )
    yield from _notes((f"{one.side}", one.note) for one in measured.firsts)


def _notes(notes: Iterable[tuple[str, str]]) -> Iterator[str]:
    """What was left out or failed, each with its reason."""
    told = [f"- {what}: {note}" for what, note in notes if note]
    if told:
        yield "Not measured:\n"
        yield from told
        yield ""
