#!/usr/bin/env python3
"""Runs a file of tests against the built program:
   tests/support/scenario.py [--program PATH] [--shape NAME] FILE [ARGUMENT OF UNITTEST...]
For example `tests/support/scenario.py tests/scenarios/rooms_test.py -v RoomsTest.test_kick`. Without --program it is
$BACKPLANE_BIN, else the build of preset dev; without --shape $BACKPLANE_TEST_SHAPE, else `single`. BACKPLANE_TEST_KEEP=1
keeps the servers' folders."""
import importlib.util
import os
import sys
import unittest

sys.dont_write_bytecode = True


def main(arguments):
    while arguments[:1] in (["--program"], ["--shape"]):
        option, value, *arguments = arguments
        if option == "--program":
            os.environ["BACKPLANE_BIN"] = os.path.abspath(value)
        else:
            os.environ["BACKPLANE_TEST_SHAPE"] = value
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__)
        return
    path = os.path.abspath(arguments[0])
    sys.path[:0] = [os.path.dirname(path)]  # this file's own folder is there already
    spec = importlib.util.spec_from_file_location(os.path.splitext(os.path.basename(path))[0], path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    unittest.main(module=module, argv=arguments, warnings="ignore")  # clients leave their connections to the end


if __name__ == "__main__":
    main(sys.argv[1:])
