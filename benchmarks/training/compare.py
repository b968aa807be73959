#!/usr/bin/env python3
"""Trains ours and the Python package `implicit` on the same files in the same run, and compares.

    compare.py FOLDER [--dims 64 128 256] [--threads 1 2] [--lambda 0.003] [--alpha0 0.01] ...

FOLDER holds train.txt and test.txt, a line a user: `user product product ...` (the LightGCN form).
Prints CPU seconds and wall seconds of an epoch (the least of all epochs; both sides are solved),
Recall@20 and NDCG@20 by full ranking without training pairs, and peak memory. On a machine that
does other work, CPU seconds are the figure to compare. `implicit` (pip install implicit) is left
out where it cannot be imported; its solvers run with OPENBLAS_NUM_THREADS=1, as it asks for.

With several numbers of --threads each is measured, and said how many times faster the wall clock
says an epoch is than with the first: it means something on free cores only. Ours must then have
written the same bytes each time, or the run fails.
"""

import argparse
import datetime
import hashlib
import json
import math
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folder")
    parser.add_argument("--binary", default=os.path.join(ROOT, "build/release/vitrine"))
    parser.add_argument("--dims", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--lambda", dest="regularization", type=float, default=0.003)
    parser.add_argument("--alpha0", type=float, default=0.01)
    parser.add_argument("--nu", type=float, default=1.0)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--threads", type=int, nargs="+", default=[2])
    parser.add_argument("--methods", nargs="+", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--cholesky-dims-max", type=int, default=128,
                        help="implicit's direct solver takes minutes beyond")
    parser.add_argument("--cholesky-epochs", type=int, default=3)
    parser.add_argument("--no-quality", action="store_true", help="measure speed alone")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    return parser.parse_args()


def learnt_bytes(model):
    """One hash of all that was learnt; the manifest knows when it was."""
    files = sorted(path for path in pathlib.Path(model).iterdir()
                   if not path.name.startswith("manifest"))
    return hashlib.sha256(b"".join(path.name.encode() + path.read_bytes()
                                   for path in files)).hexdigest()


def ours(options, dims, threads, solver):
    common = ["--threads", str(threads), "--json"]
    with tempfile.TemporaryDirectory() as folder:
        model = os.path.join(folder, "model")
        train = [options.binary, "train", "--interactions",
                 os.path.join(options.folder, "train.txt"), "--out", model, "--dims", str(dims),
                 "--lambda", str(options.regularization), "--alpha0", str(options.alpha0),
                 "--nu", str(options.nu), "--epochs", str(options.epochs), "--solver", solver]
        lines = subprocess.run(train + common, check=True, capture_output=True, text=True).stdout
        facts = json.loads(lines.strip().splitlines()[-1])
        result = {"cpu": min(facts["cpu_seconds_per_epoch"]),
                  "wall": min(facts["wall_seconds_per_epoch"]),
                  "peak_mib": facts["peak_rss_bytes"] / 2**20,
                  "bytes": learnt_bytes(model)}
        if not options.no_quality:
            judge = [options.binary, "evaluate", "--train",
                     os.path.join(options.folder, "train.txt"), "--test",
                     os.path.join(options.folder, "test.txt"), "--model", model, "--k", "20",
                     "--baselines", "popular"]
            found = json.loads(
                subprocess.run(judge + common, check=True, capture_output=True, text=True).stdout)
            result["recall"] = found["recall@20"]
            result["ndcg"] = found["ndcg@20"]
        return result


def pairs_of(path):
    """The users' products, by users' and products' numbers in the file."""
    lists = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            numbers = [int(word) for word in line.split()]
            if numbers:
                lists[numbers[0]] = numbers[1:]
    return lists


def quality(users, products, train, test):
    """Recall@20 as hits / |test| and NDCG@20, means over the users of the test file."""
    import numpy
    known = numpy.zeros(len(products), dtype=bool)
    for bought in train.values():
        known[bought] = True
    recalls, gains = [], []
    discounts = 1 / numpy.log2(numpy.arange(2, 22))
    judged = [(user, truth) for user, bought in test.items() if user in train
              and (truth := {one for one in bought if known[one]} - set(train[user]))]
    for first in range(0, len(judged), 512):
        block = judged[first:first + 512]
        scores = users[[user for user, _ in block]] @ products.T
        for row, (user, truth) in enumerate(block):
            scores[row, train[user]] = -numpy.inf
            best = numpy.argpartition(-scores[row], 20)[:20]
            best = best[numpy.argsort(-scores[row, best], kind="stable")]
            hits = numpy.array([one in truth for one in best])
            recalls.append(hits.sum() / len(truth))
            gains.append((hits * discounts).sum() / discounts[:min(20, len(truth))].sum())
    return float(numpy.mean(recalls)), float(numpy.mean(gains))


def implicit_als(options, dims, threads, conjugate_gradient):
    import implicit
    import numpy
    import scipy.sparse
    train = pairs_of(os.path.join(options.folder, "train.txt"))
    test = pairs_of(os.path.join(options.folder, "test.txt"))
    rows = numpy.repeat(list(train), [len(bought) for bought in train.values()])
    columns = numpy.concatenate([bought for bought in train.values()])
    count = 1 + max(columns.max(), max(max(bought, default=0) for bought in test.values()))
    matrix = scipy.sparse.csr_matrix(
        (numpy.ones(len(rows), dtype=numpy.float32), (rows, columns)),
        shape=(max(rows) + 1, count))
    # Its unobserved pairs weigh 1 where ours weigh alpha0; its regularization is one for all rows.
    mean = (matrix.nnz / matrix.shape[0] + options.alpha0 * matrix.shape[1]) ** options.nu
    marks = []

    def mark(*_):
        marks.append((time.process_time(), time.perf_counter()))

    model = implicit.als.AlternatingLeastSquares(
        factors=dims, alpha=1 / options.alpha0,
        regularization=options.regularization * mean / options.alpha0, use_gpu=False,
        use_cg=conjugate_gradient, num_threads=threads, random_state=1,
        iterations=options.epochs if conjugate_gradient else options.cholesky_epochs)
    mark()
    model.fit(matrix, show_progress=False, callback=mark)
    steps = list(zip(marks, marks[1:]))
    result = {"cpu": min(after[0] - before[0] for before, after in steps),
              "wall": min(after[1] - before[1] for before, after in steps),
              "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
    if not options.no_quality and conjugate_gradient:
        result["recall"], result["ndcg"] = quality(
            numpy.asarray(model.user_factors), numpy.asarray(model.item_factors), train, test)
    return result


METHODS = {
    "vitrine auto": lambda *what: ours(*what, "auto"),
    "vitrine dual (exact)": lambda *what: ours(*what, "dual"),
    "implicit cg": lambda *what: implicit_als(*what, True),
    "implicit cholesky": lambda *what: implicit_als(*what, False),
}


def implicit_version():
    asked = subprocess.run([sys.executable, "-c", "import implicit; print(implicit.__version__)"],
                           capture_output=True, text=True)
    return asked.stdout.strip().splitlines()[-1] if asked.returncode == 0 else None


def about(options):
    with open("/proc/cpuinfo", encoding="utf-8") as facts:
        model = next((line.split(": ")[1].strip() for line in facts
                      if line.startswith("model name")), "unknown")
    commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"],
                            capture_output=True, text=True).stdout.strip()
    print(f"machine  {os.cpu_count()} x {model}, load {os.getloadavg()[0]:.1f}")
    print(f"commit   {commit}, {datetime.date.today()}")
    print(f"data     {os.path.basename(os.path.abspath(options.folder))}, lambda {options.regularization}, alpha0 {options.alpha0}, nu {options.nu},"
          f" {options.epochs} epochs; implicit {implicit_version() or 'not installed'}")


def measured_apart(method, dims, threads):
    """In a process of its own: peak memory is the process's."""
    environment = dict(os.environ, OPENBLAS_NUM_THREADS="1")
    command = [sys.executable, *sys.argv, "--one", json.dumps([method, dims, threads])]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{method}, d={dims}: {done.stderr.strip()}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def measure(method, dims, numbers_of_threads):
    """A line for each number of threads."""
    first = None
    for threads in numbers_of_threads:
        found = measured_apart(method, dims, threads)
        first = first or found
        speed_up = first["wall"] / found["wall"]
        recall, ndcg = found.get("recall", math.nan), found.get("ndcg", math.nan)
        print(f"{method:22}{dims:5}{threads:8}{found['cpu']:9.3f}{found['wall']:9.3f}"
              f"{speed_up:9.2f}{recall:11.4f}{ndcg:9.4f}{found['peak_mib']:7.0f}", flush=True)
        if found.get("bytes") != first.get("bytes"):
            raise SystemExit(f"{method}, d={dims}: {threads} threads wrote other bytes than "
                             f"{numbers_of_threads[0]}")


def main():
    options = arguments()
    if options.one:
        method, dims, threads = json.loads(options.one)
        print(json.dumps(METHODS[method](options, dims, threads)))
        return
    about(options)
    methods = [name for name in options.methods
               if not name.startswith("implicit") or implicit_version()]
    print(f"{'':22}{'d':>5}{'threads':>8}{'CPU s':>9}{'wall s':>9}{'speed-up':>9}{'recall@20':>11}"
          f"{'ndcg@20':>9}{'MiB':>7}")
    for dims in options.dims:
        for method in methods:
            if method == "implicit cholesky" and dims > options.cholesky_dims_max:
                continue
            measure(method, dims, options.threads)
    if len(options.threads) > 1 and any(name.startswith("vitrine") for name in methods):
        print("vitrine wrote the same bytes with every number of threads")


if __name__ == "__main__":
    main()
