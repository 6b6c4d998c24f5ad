#!/usr/bin/env python3
"""Each lint finds the fault that it is for, in small trees made here, and is content without it."""
import os
import subprocess
import tempfile
import unittest

import exported_symbols
import file_size
import format as format_lint
import generated
import layering
import mutable_statics
import texts


class Tree(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = self.folder.name

    def write(self, path, *lines):
        whole = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        with open(whole, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        return whole

    def compile(self, text, *flags):
        source = self.write("object.cc", text)
        out = os.path.join(self.root, "object.o")
        subprocess.run(["c++", "-std=c++20", "-w", *flags, source, "-o", out], check=True)
        return out

    def assert_fault(self, faults, *words):
        self.assertEqual(len(faults), 1, faults)
        for word in words:
            self.assertIn(word, faults[0])


class Layering(Tree):
    def setUp(self):
        super().setUp()
        self.write("sdk/include/backplane/base/result.h", "#include <string>")
        self.write("sdk/include/backplane/matrix/event.h", '#include "backplane/base/result.h"')
        self.write("sdk/include/backplane/api/rooms.h", '#include "backplane/matrix/event.h"')
        self.write("plugins/room_server/store.h", "#include <map>")

    def test_accepts_what_is_allowed(self):
        self.write("plugins/room_server/store.cc", '#include "store.h"', "#include <boost/x.hpp>",
                   '#include "backplane/api/rooms.h"')
        self.write("host/main.cc", '#include "backplane/base/result.h"', "#include <sys/types.h>")
        self.assertEqual(layering.check(self.root), [])

    def test_another_plugin(self):
        self.write("plugins/client_api/a.cc", '#include "plugins/room_server/store.h"')
        self.assert_fault(layering.check(self.root), "plugins/client_api/a.cc:1", "may not include")

    def test_climbing_out(self):
        self.write("plugins/client_api/a.cc", '#include "../room_server/store.h"')
        self.assert_fault(layering.check(self.root), "'..'")

    def test_the_host_and_a_plugin(self):
        self.write("host/x.h")
        self.write("plugins/client_api/a.cc", '#include "host/x.h"')
        self.assert_fault(layering.check(self.root), "may not include host/x.h")

    def test_the_host_sees_no_room_even_through_a_header(self):
        self.write("host/main.cc", '#include "backplane/api/rooms.h"')
        self.assert_fault(layering.check(self.root), "host/main.cc", "through backplane/api/rooms.h")

    def test_a_library_in_a_public_header(self):
        self.write("sdk/include/backplane/http/x.h", "#include <boost/asio.hpp>")
        self.assert_fault(layering.check(self.root), "boost/asio.hpp", "standard library")

    def test_base_is_below_the_rest(self):
        self.write("sdk/src/base/x.cc", '#include "backplane/matrix/event.h"')
        self.assert_fault(layering.check(self.root), "below the rest")

    def test_matrix_is_pure(self):
        self.write("sdk/src/matrix/x.cc", "#include <thread>")
        self.assert_fault(layering.check(self.root), "no I/O")

    def test_heavy_headers_in_few_files(self):
        self.write("host/http/beast.h", "#include <boost/beast.hpp>")
        for number in range(10):
            self.write(f"host/http/{number}.cc", '#include "host/http/beast.h"')
        self.assertEqual(layering.check(self.root), [])
        self.write("host/http/one_more.cc", '#include "host/http/beast.h"')
        self.assert_fault(layering.check(self.root), "11 .cc files see Boost.Beast")


class Sizes(Tree):
    def test_sizes(self):
        self.write("a.cc", *["x"] * 400)
        self.assertEqual(file_size.check(self.root), ([], []))
        self.write("a.cc", *["x"] * 401)
        self.assertEqual(len(file_size.check(self.root)[1]), 1)
        self.write("a.cc", *["x"] * 801)
        self.assert_fault(file_size.check(self.root)[0], "a.cc:800")


class Objects(Tree):
    def test_mutable_statics(self):
        allow = self.write("allow", "^permitted$  # why")
        found = mutable_statics.check(self.root, [self.compile(
            'int permitted = 1; namespace backplane { const char* const words[] = {"a", "b"}; constexpr int seven = 7;\n'
            "int use(int i) { static int calls; return words[i][0] + seven + ++calls; } }", "-c", "-fPIC")], allow)
        self.assert_fault(found, "backplane::use(int)::calls")

    def test_thread_locals_and_built_constants(self):
        allow = self.write("allow")
        found = mutable_statics.check(self.root, [self.compile(
            "#include <string>\nthread_local int depth = 1; static const std::string name(9, 'x');\n"
            "const char* use() { ++depth; return name.c_str(); }", "-c", "-fPIC")], allow)
        self.assertEqual(len(found), 2, found)

    def test_exported_symbols(self):
        self.assert_fault(exported_symbols.check([self.compile(
            'extern "C" int backplane_plugin_entry = 1; int more = 2;', "-shared", "-fPIC")]), "exports more")
        self.assert_fault(exported_symbols.check([self.compile("static int less;", "-shared", "-fPIC")]), "does not export")


class Texts(Tree):
    def test_paths_hosts_links(self):
        self.write("a.md", "see [b](b.md), [c](https://example.org/c) and ~/home/x, $HOME/root/x")
        self.assert_fault(texts.check(self.root), "a.md:1", "b.md leads nowhere")
        self.write("b.md", "run /" + "home/me/x")
        self.assert_fault(texts.check(self.root), "b.md:1", "absolute path")
        self.write("b.md", "get it from files." + texts.HOSTS[1])
        self.assert_fault(texts.check(self.root), "b.md:1", "registry")

    def test_marks_of_a_merge(self):
        self.write("a.cc", "<" * 7 + " HEAD")
        self.assert_fault(texts.check(self.root), "a.cc:1", "merge")

    def test_generated_pages(self):
        self.write("page.md", "one", "two")
        self.assertEqual(generated.check(self.root, "page.md", ["printf", "one\\ntwo\\n"]), [])
        self.assertIn("write it anew", generated.check(self.root, "page.md", ["printf", "one\\n"])[0])
        self.assert_fault(generated.check(self.root, "page.md", ["false"]), "failed")

    def test_format(self):
        self.write(".clang-format", "BasedOnStyle: Google")
        self.write("a.cc", "int a;")
        self.assertEqual(format_lint.check(self.root, False), [])
        self.write("a.cc", "int  a ;")
        self.assert_fault(format_lint.check(self.root, False), "a.cc:1")


if __name__ == "__main__":
    unittest.main()
