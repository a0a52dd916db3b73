#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real reports, read by programs that are not ours.

usage: reports_test.py CONFORM SCHEMA SCALAR MUTANTS

Runs the judge on the scalar plugin, on one with a planted bug, on one that crashes and hangs and on a file that is no
plugin. The JSON is validated with python3-jsonschema, the JUnit XML is read by python3-junitparser and
xml.etree, the HTML by html.parser; every count is compared between the three. Exit code 77 if a reader is absent.
"""
import copy
import html.parser
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree

try:
    import jsonschema
    import junitparser
except ImportError as missing:
    # The packages belong to the system's Python, which need not be the first one on the path.
    SYSTEM = "/usr/bin/python3"
    if os.path.exists(SYSTEM) and not os.path.samefile(sys.executable, SYSTEM):
        os.execv(SYSTEM, [SYSTEM, "-B", *sys.argv])
    print(f"skipped: {missing}; packaging/install-deps.sh test installs it")
    sys.exit(77)

CONFORM, SCHEMA, SCALAR, MUTANTS = sys.argv[1:5]
STATES = ["passed", "failed", "unsupported", "expected_fail", "crashed", "hung", "distrusted", "not_evaluated"]
CASES = ["add f32 16,16 - 0 uniform 1", "add f32 17,17 - 0 uniform 1", "add f32 33,33 - 0 uniform 1",
         "add f64 33,33 - 0 uniform 1", "exp f32 64 - 0 uniform 1", "eigh f32 4x4 - 0 uniform 1"]


def mutant(name):
    return str(pathlib.Path(MUTANTS, f"mutant_{name}.so"))


def conform(form, folder, extra=()):
    """The report in one format as text, and the exit code."""
    output = pathlib.Path(folder, f"report.{form}")
    command = [CONFORM, "--quick", "--reference", SCALAR, "--format", form, "-o", str(output)]
    for plugin in (SCALAR, mutant("add_f64_as_f32"), mutant("crash_and_hang"), "/etc/passwd"):
        command += ["--plugin", plugin]
    for case in CASES:
        command += ["--case", case]
    done = subprocess.run([*command, *extra], capture_output=True, text=True, timeout=300)
    return output.read_text("utf-8"), done.returncode


class Page(html.parser.HTMLParser):
    """Text, ids and addresses of an HTML page; unbalanced tags are an error."""

    VOID = {"meta", "br", "wbr", "input"}

    def __init__(self, text):
        super().__init__()
        self.text, self.ids, self.addresses, self.commands, self.open, self.tags = "", set(), [], [], [], set()
        self.feed(text)
        assert self.open == [], self.open

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.add(value)
            if name in ("href", "src"):
                self.addresses.append(value)
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "code":
            self.commands.append("")

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        if self.open and self.open[-1] in ("style", "script"):
            return
        self.text += data
        if "code" in self.open:
            self.commands[-1] += data


class Reports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.schema = json.loads(pathlib.Path(SCHEMA).read_text("utf-8"))
        text, cls.code = conform("json", cls.folder.name)
        cls.report = json.loads(text)
        cls.junit_text, _ = conform("junit", cls.folder.name)
        cls.html_text, _ = conform("html", cls.folder.name)
        cls.validator = jsonschema.Draft202012Validator(cls.schema)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_the_schema_is_one(self):
        jsonschema.Draft202012Validator.check_schema(self.schema)

    def test_a_real_report_is_valid(self):
        self.validator.validate(self.report)
        self.assertEqual(self.code, 1)
        self.assertEqual([r["good"] for r in self.report["reports"]], [True, False, False, False])
        states = {c["state"] for r in self.report["reports"] for c in r["cases"]}
        self.assertLessEqual({"passed", "failed", "crashed", "hung", "unsupported", "not_evaluated"}, states)

    def test_summaries_count_the_cases(self):
        for report in self.report["reports"]:
            for state in STATES:
                counted = sum(c["state"] == state for c in report["cases"])
                self.assertEqual(report["summary"][state], counted, (report["file"], state))

    def test_broken_reports_are_refused(self):
        def broken(change):
            report = copy.deepcopy(self.report)
            change(report, report["reports"][0], report["reports"][0]["cases"][0])
            return not self.validator.is_valid(report)

        self.assertFalse(broken(lambda d, r, c: r.update(later_field=1)))
        for field in ("schema", "run", "reports"):
            self.assertTrue(broken(lambda d, r, c, f=field: d.pop(f)), field)
        for field in ("plugin", "sha256", "seed", "summary", "cases", "good"):
            self.assertTrue(broken(lambda d, r, c, f=field: r.pop(f)), field)
        for field in ("case", "state", "error_ulp", "bound", "message"):
            self.assertTrue(broken(lambda d, r, c, f=field: c.pop(f)), field)
        for state in STATES:
            self.assertTrue(broken(lambda d, r, c, s=state: r["summary"].pop(s)), state)
        self.assertTrue(broken(lambda d, r, c: c.update(state="okay")))
        self.assertTrue(broken(lambda d, r, c: c.update(error_ulp=None)))
        self.assertTrue(broken(lambda d, r, c: c.update(state="failed", message="")))
        self.assertTrue(broken(lambda d, r, c: r.update(sha256="abc")))
        self.assertTrue(broken(lambda d, r, c: r["summary"].update(failed=1)), "good, with a failure")
        self.assertTrue(broken(lambda d, r, c: d["run"].update(kind="nearly full")))
        self.assertFalse(self.validator.is_valid([self.report]))
        self.assertFalse(self.validator.is_valid({}))

    def test_claims_are_in_the_same_schema(self):
        claim = {"id": "A-001", "verdict": "upheld", "evidence": "1000 runs, 0 differences", "command": "rayo conform"}
        self.validator.validate({"claims": [claim]})
        for field in claim:
            less = {k: v for k, v in claim.items() if k != field}
            self.assertFalse(self.validator.is_valid({"claims": [less]}), field)
        for change in ({"verdict": "true"}, {"id": "Z-1"}, {"evidence": ""}):
            self.assertFalse(self.validator.is_valid({"claims": [{**claim, **change}]}), change)

    def test_junit_is_read_by_another_program(self):
        path = pathlib.Path(self.folder.name, "report.junit")
        suites = list(junitparser.JUnitXml.fromfile(str(path)))
        self.assertEqual(len(suites), len(self.report["reports"]))
        for suite, report in zip(suites, self.report["reports"]):
            summary, cases = report["summary"], list(suite)
            executed = sum(summary.values()) - summary["unsupported"] - summary["not_evaluated"]
            nothing = 1 if executed == 0 else 0
            self.assertEqual(len(cases), len(report["cases"]) + nothing)
            kinds = [[type(r).__name__ for r in case.result] for case in cases]
            self.assertEqual(kinds.count(["Failure"]), summary["failed"] + summary["distrusted"])
            self.assertEqual(kinds.count(["Error"]), summary["crashed"] + summary["hung"] + nothing)
            self.assertEqual(kinds.count(["Skipped"]),
                             summary["unsupported"] + summary["not_evaluated"] + summary["expected_fail"])
            self.assertEqual(kinds.count([]), summary["passed"])
            stated = (suite.tests, suite.failures, suite.errors, suite.skipped)
            self.assertEqual(stated, (len(cases), kinds.count(["Failure"]), kinds.count(["Error"]),
                                      kinds.count(["Skipped"])))
            properties = {p.name: p.value for p in suite.properties()}
            self.assertEqual(properties["sha256"], report["sha256"])
            self.assertEqual(properties["seed"], str(report["seed"]))
        self.assertEqual(list(suites[3])[0].name, "load")

    def test_junit_failures_carry_their_replay_line(self):
        root = xml.etree.ElementTree.fromstring(self.junit_text)
        bodies = [f.text for f in root.iter("failure")]
        self.assertTrue(bodies)
        for body in bodies:
            self.assertRegex(body, r"^rayo conform --plugin \S+ --reference \S+ --case '.*'$")

    def test_html_stands_alone_and_tells_everything(self):
        page = Page(self.html_text)
        self.assertTrue({"plugins", "failures", "support", "heat", "notrun"} <= page.ids, page.ids)
        self.assertTrue(all(a.startswith("#") and a[1:] in page.ids for a in page.addresses), page.addresses)
        self.assertFalse({"link", "img", "iframe", "object"} & page.tags)
        self.assertNotRegex(self.html_text, r"url\(|@import|https?://")
        self.assertLess(len(self.html_text), 200_000)
        for report in self.report["reports"]:
            self.assertIn(report["sha256"], page.text)
            for case in report["cases"]:
                if case["state"] in ("failed", "crashed", "hung"):
                    self.assertTrue(any(case["case"] in c for c in page.commands), case["case"])
        for word in ("failed", "crashed", "hung", "unsupported", "not_evaluated", "seed", "NOT JUDGED", "BAD", "GOOD"):
            self.assertIn(word.lower(), page.text.lower())
        self.assertLess(page.text.index("Failures"), page.text.index("Support", page.text.index("Failures")))

    def test_a_replay_line_fails_again(self):
        page = Page(self.html_text)
        lines = [c for c in page.commands if c.startswith("rayo conform") and "mutant_add_f64" in c]
        self.assertTrue(lines)
        arguments = re.sub(r"^rayo conform", f"'{CONFORM}'", lines[0]) + " --json"
        again = subprocess.run(["sh", "-c", arguments], capture_output=True, text=True, timeout=100)
        case = json.loads(again.stdout)["reports"][0]["cases"][0]
        before = [c for c in self.report["reports"][1]["cases"] if c["case"] == case["case"]]
        self.assertEqual(again.returncode, 1)
        self.assertEqual(before, [case])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
