#!/usr/bin/env python3
"""What things cost, beside what they may cost: a call in one process and between two, a record over Kafka, and messages
from a client's request to the other's /sync in each shape.
   tests/bench/costs.py --hsbench PATH [--program PATH] [--scenarios send,e2e] [--shapes single,postgresql,split] [--runs 1]
hsbench is a load generator for Matrix servers, not part of this project: a program that takes -url, -pid, -scenario and
-json. Beside the program (its folder) are calls_bench and log_kafka_bench: BACKPLANE_BUILD_BENCHMARKS=ON.
With several runs each figure is the least of them: CPU time is sturdy on a busy machine, latency is not."""
import argparse
import json
import os
import re
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import shapes  # noqa: E402
from program import program  # noqa: E402
from server import Server  # noqa: E402
from split import shared_broker  # noqa: E402

MOST_OVER_SQLITE = 1.5  # PostgreSQL's server CPU


def refuse(text):
    sys.exit("costs.py: " + text)


def output(path, environment=None):
    if not os.access(path, os.X_OK):
        refuse(f"there is no {path}: configure with -DBACKPLANE_BUILD_BENCHMARKS=ON and build it, or give --program")
    done = subprocess.run([path], capture_output=True, text=True, check=False, env={**os.environ, **(environment or {})})
    if done.returncode != 0:
        refuse(f"{path} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def figures(text, pattern):
    """The numbers in the line that the pattern is of."""
    found = re.search(pattern, text)
    if not found:
        refuse(f"no line '{pattern}' in:\n{text}")
    return [float(figure) for figure in found.groups()]


def inside(folder, runs):
    """(what, p50, p99, unit, goal for the first) of calls and records."""
    calls = [output(os.path.join(folder, "calls_bench")) for _ in range(runs)]
    broker = {"BACKPLANE_KAFKA_BOOTSTRAP": shared_broker()}
    records = [output(os.path.join(folder, "log_kafka_bench"), broker) for _ in range(runs)]
    local = min(figures(text, r"local call over a virtual call +([-\d.]+) ns") for text in calls)
    remote = min(figures(text, r"remote, blocking, 1 thread +p50 +([\d.]+) us +p99 +([\d.]+) us") for text in calls)
    record = min(figures(text, r"one at a time: p50 ([\d.]+) ms,.* p99 ([\d.]+)") for text in records)
    return [("local call over a virtual call, CPU", *local, None, "ns", 100), ("remote call on loopback", *remote, "us", 150),
            ("commit to tail over Kafka", *record, "ms", 3)]


def load(shape, options):
    """The load generator's rows for a server of that shape, by scenario."""
    with Server(shape=shapes.SHAPES[shape]()) as server:
        server.start()
        result = server.path("hsbench.json")
        processes = ",".join(str(process.process.pid) for process in server.processes)
        done = subprocess.run(
            [options.hsbench, "-url", f"http://{server.address}:{server.port}", "-pid", processes, "-scenario",
             options.scenarios, "-json", result], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            refuse(f"{options.hsbench} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        with open(result, encoding="utf-8") as text:
            rows = {row["scenario"]: row for row in json.load(text)["rows"]}
        for row in rows.values():
            if row["errors"] or not row["ops"]:
                refuse(f"{row['scenario']} on {shape}: {row['errors']} errors in {row['ops']} operations: "
                       f"{row.get('error_sample', '')}")
        return rows


def least(runs):
    """The run that cost least, scenario by scenario."""
    return {name: min((run[name] for run in runs), key=lambda row: row["server_cpu_ms_per_op"]) for name in runs[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hsbench", help="the load generator's program")
    parser.add_argument("--program", help="the server's; without it that of preset dev")
    parser.add_argument("--scenarios", default="send,e2e")
    parser.add_argument("--shapes", default="single,postgresql,split")
    parser.add_argument("--runs", type=int, default=1)
    options = parser.parse_args()
    if not options.hsbench or not os.access(options.hsbench, os.X_OK):
        refuse("--hsbench has to be the path of the load generator's program, which is not part of this project")
    chosen = options.shapes.split(",")
    if unknown := [name for name in chosen if name not in shapes.SHAPES]:
        refuse(f"there is no shape {', '.join(unknown)}; there are {', '.join(shapes.SHAPES)}")
    if options.program:
        os.environ["BACKPLANE_BIN"] = os.path.abspath(options.program)

    print(f"{'inside':38} {'p50':>9} {'p99':>9}      goal")
    for what, p50, p99, unit, goal in inside(os.path.dirname(program()), options.runs):
        print(f"{what:38} {p50:9.1f} {'' if p99 is None else format(p99, '9.1f'):>9} {unit}   <= {goal} {unit}", flush=True)
    print(f"\n{'shape':11} {'scenario':16} {'ops':>7} {'server CPU':>14} {'p50':>10} {'p99':>10}   {'of single':>9}")
    found = {}
    for shape in chosen:
        found[shape] = least([load(shape, options) for _ in range(options.runs)])
        for name, row in found[shape].items():
            ratio = row["server_cpu_ms_per_op"] / found["single"][name]["server_cpu_ms_per_op"] if "single" in found else None
            goal = f"  (<= {MOST_OVER_SQLITE})" if shape == "postgresql" else ""
            print(f"{shape:11} {name:16} {row['ops']:7} {row['server_cpu_ms_per_op']:8.3f} ms/op {row['p50_ms']:7.2f} ms "
                  f"{row['p99_ms']:7.2f} ms   {'' if ratio is None else format(ratio, '9.2f')}{goal}", flush=True)


if __name__ == "__main__":
    main()
