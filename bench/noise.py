"""How often a run calls noise a real gain, and how often it finds a small true one: 200 simulated runs of each kind.

The runs take eleven metrics and validation splits of 40, 100 and 250 rows in turn; each compares eight candidates. The
skill of a candidate is the weight of the truth beside noise of standard deviation 1; a gain is what each candidate has
more of it than the one before.
"""

from tests.support.noise import METRICS, SIZES, SimulatedRun, share, simulate

RUNS = 200
GAINS = (0.02, 0.05, 0.1, 0.2)


def main() -> None:
    noise = [simulate(number, 0.0) for number in range(RUNS)]
    print(f"pure noise: a false gain in {share(noise, false=True):.1%} of {RUNS} runs")
    _by_kind(noise, false=True)
    for gain in GAINS:
        runs = [simulate(number, gain) for number in range(RUNS)]
        found, false = share(runs, false=False), share(runs, false=True)
        print(f"a gain of {gain:g} a candidate: found in {found:.1%} of {RUNS} runs, a false one in {false:.1%}")
        _by_kind(runs, false=False)


def _by_kind(runs: list[SimulatedRun], *, false: bool) -> None:
    sizes = ", ".join(
        f"{size} rows {share([run for run in runs if run.rows == size], false=false):.0%}" for size in SIZES
    )
    print(f"  {sizes}")
    of_metric = ((name, share([run for run in runs if run.metric == name], false=false)) for name in METRICS)
    print("  " + ", ".join(f"{name} {value:.0%}" for name, value in of_metric))


if __name__ == "__main__":
    main()
