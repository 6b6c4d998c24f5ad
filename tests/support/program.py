"""Where the program under test is, and how long to have patience with it."""
import os
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Seconds for what should take less than one: sanitizers and busy machines are slow, and a pass does not wait.
PATIENCE = float(os.environ.get("BACKPLANE_TEST_PATIENCE", "60"))


def program():
    """The program to start: $BACKPLANE_BIN (ctest sets it), else the build of preset dev."""
    return os.environ.get("BACKPLANE_BIN") or os.path.join(ROOT, "build", "dev", "bin", "backplane")


def wait_for(what, condition, patience=PATIENCE, pause=0.01):
    """What `condition` answers as soon as it is true."""
    until = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > until:
            raise AssertionError(f"waited {patience:g} s for {what}; it is {value!r}")
        time.sleep(pause)
