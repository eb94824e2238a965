"""A process for each measurement, so that its peak memory is its own."""

import multiprocessing
import resource
from concurrent.futures import ProcessPoolExecutor


def run_alone(function, *arguments):
    """What ``function`` returns in a fresh process, forked off one that has imported the libraries and done nothing."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["gcl", "sklearn.metrics", "scipy.optimize"])
    with ProcessPoolExecutor(1, context) as process:
        return process.submit(function, *arguments).result()


def peak_mb():
    """The largest memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
