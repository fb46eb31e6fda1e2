# SPDX-License-Identifier: MIT
"""Turns the measured object (what goes to JSON) into a Markdown table and a plot."""

TITLE = "# The same work on other synths"


def _range(entry):
    return f"{entry['median']:,.0f} ({entry['low']:,.0f} to {entry['high']:,.0f})"


def _ratio(entry, unit=" x"):
    return f"{entry['median']:.2f}{unit} ({entry['low']:.2f} to {entry['high']:.2f}, n = {entry['count']})"


def _alias(figures):
    if "worst_db" not in figures:
        return figures["status"]
    text = f"{figures['worst_db']:.0f} / {figures['below_db']:.0f}"
    if figures.get("worst_hz", 1000) < 20:  # a leaky integrator lifts what nobody hears
        text += f" (at {figures['worst_hz']:.0f} Hz; {figures['audible_db']:.0f} from 20 Hz up)"
    return text


def markdown(result):
    machine = result["machine"]
    lines = [
        "<!-- SPDX-License-Identifier: MIT -->",
        TITLE,
        "",
        f"{machine['model']} (family {machine['family']}, model {machine['model_number']}), {machine['cores']} cores, about "
        f"{machine['clock_ghz']:.2f} GHz, {machine['system']}; {result['date']}; load at start {machine['load_before']:.2f}, "
        f"at end {machine['load_after']:.2f}. Written by `profiling/compare`; the method is in docs/benchmarks.md.",
        "",
        "Work W: held voices of one saw, one resonant low-pass and one ADSR, 48 kHz, mono sum. Real-time voices = voices x audio "
        "seconds / CPU seconds (wall seconds where there are two threads), start-up removed by the difference of two lengths; "
        "median and 95 % interval.",
        "",
        "| system | work | voices | threads | block | real-time voices | with start-up |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in result["rows"]:
        name = f"{row['system']} {row['version']}".strip()
        if "realtime_voices" not in row:
            lines.append(f"| {name} | {row['work']} | | | | {row['status']} | |")
            continue
        lines.append(
            f"| {name} | {row['work']} | {row['voices']:,} | {row['threads']} | {row['block']} | "
            f"{_range(row['realtime_voices'])} | {row['with_start_up']['median']:,.0f} |"
        )
    dates = sorted(row["date"][:16] for row in result["rows"] if "date" in row)
    if dates:
        lines += ["", f"Measured from {dates[0].replace('T', ' ')} to {dates[-1].replace('T', ' ')}."]
    lines += ["", "## Ratios, from interleaved pairs", "", "| first | second | first / second | bar |", "| --- | --- | --- | --- |"]
    for pair in result["comparisons"]:
        bar = f"{pair['bar']:g}" if pair.get("bar") else ""
        lines.append(f"| {pair['subject']} | {pair['reference']} | {_ratio(pair['ratio']) if 'ratio' in pair else pair['status']} | {bar} |")
    if result.get("alias"):
        lines += [
            "",
            "## Alias of each saw (profiling/alias.py)",
            "",
            "dB relative to the fundamental; worst alias anywhere / below the fundamental.",
            "",
            "| saw | 440 Hz | 1,244.5 Hz | 4,186 Hz |",
            "| --- | --- | --- | --- |",
        ]
        for name, figures in result["alias"].items():
            cells = [_alias(f) for f in figures.values()]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    if result.get("bare_loop"):
        lines += [
            "",
            "## The bare loop (profiling/probe.cpp, 4,096 voices)",
            "",
            "| instruction set | filter form | groups interleaved | cutoff by envelope | real-time voices | ns a voice-sample |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        for v in result["bare_loop"]:
            lines.append(
                f"| {v['isa']} | {v['form']} | {v['groups']} | {'yes' if v['cutoff_envelope'] else 'no'} | "
                f"{v['realtime_voices']:,} | {v['ns_per_voice_sample']:.3f} |"
            )
        lines += ["", result["same_bits"]]
    return "\n".join(lines) + "\n"


def plot(result, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = [row for row in result["rows"] if "realtime_voices" in row]
    rows.sort(key=lambda row: row["realtime_voices"]["median"])
    figure, axes = pyplot.subplots(figsize=(10, 0.34 * len(rows) + 1.6))
    colours = {"Tutti": "#c0392b", "bare": "#e6a39b"}
    for place, row in enumerate(rows):
        entry = row["realtime_voices"]
        error = [[entry["median"] - entry["low"]], [entry["high"] - entry["median"]]]
        colour = next((c for start, c in colours.items() if row["system"].startswith(start)), "#4a6f8a")
        axes.barh(place, entry["median"], color=colour, xerr=error, ecolor="black", capsize=2, height=0.7)
        axes.text(entry["high"] * 1.06, place, f"{entry['median']:,.0f}", va="center", fontsize=8)
    labels = [f"{r['system']}: {r['work']}" + (f", {r['voices']:,} voices" if r["voices"] > 9999 else "")
              + (f", block {r['block']}" if r["block"] != 64 else "")
              + (f", {r['threads']} threads" if r["threads"] > 1 else "") for r in rows]  # fmt: skip
    axes.set_yticks(range(len(rows)), labels, fontsize=8)
    axes.set_xscale("log")
    axes.set_xlim(right=axes.get_xlim()[1] * 2)
    axes.set_xlabel("real-time voices (saw + resonant low-pass + ADSR, 48 kHz), logarithmic")
    axes.set_title(f"{result['machine']['model']}, {result['machine']['clock_ghz']:.2f} GHz, {result['date'][:10]}", fontsize=10)
    axes.grid(axis="x", alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
