"""JUnit XML: one test case for each check, with names that hold no measured value."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from mlci.core.results import Check, Report, StageResult
from mlci.core.status import Status

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class JunitReporter:
    """Writes what GitLab, Jenkins and CircleCI show as test results."""

    file: str | None = "junit.xml"

    def render(self, report: Report) -> str:
        """Return one suite for each stage. A warning passes and says so in its output."""
        root = ET.Element("testsuites", name=f"mlci.{_clean(report.project)}")
        for result in report.stages:
            cases = _cases(report.project, result)
            suite = ET.SubElement(root, "testsuite", name=_clean(result.stage), time=f"{result.seconds:.3f}")
            suite.set("tests", str(len(cases)))
            for kind, count in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
                suite.set(count, str(sum(case.find(kind) is not None for case in cases)))
            suite.extend(cases)
        ET.indent(root)
        return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _cases(project: str, result: StageResult) -> list[ET.Element]:
    name = _clean(result.stage)
    group = f"mlci.{_clean(project)}.{name}"
    cases = [_case(group, check) for check in result.checks]
    if result.error is not None:
        case = ET.Element("testcase", classname=group, name=name)
        error = ET.SubElement(case, "error", type=_clean(result.error.code))
        error.set("message", _clean(result.error.message))
        error.text = _clean(result.error.hint)
        cases.append(case)
    elif not cases:
        case = ET.Element("testcase", classname=group, name=name)
        if result.status is Status.SKIPPED:
            ET.SubElement(case, "skipped", message=_clean(result.reason))
        cases.append(case)
    return cases


def _case(group: str, check: Check) -> ET.Element:
    case = ET.Element("testcase", classname=group, name=_clean(check.name))
    if check.where:
        case.set("file", _clean(check.where.partition(":")[0]))
    text = _clean(check.message)
    match check.status:
        case Status.FAILED:
            ET.SubElement(case, "failure", message=text).text = _clean(
                f"limit: {check.limit}" if check.limit else ""
            )
        case Status.ERRORED:
            ET.SubElement(case, "error", message=text)
        case Status.SKIPPED:
            ET.SubElement(case, "skipped", message=text)
        case Status.WARNED | Status.INCONCLUSIVE:
            ET.SubElement(case, "system-out").text = f"{check.status.value}: {text}"
    return case


def _clean(text: str) -> str:
    """Return text without the characters that XML 1.0 cannot hold."""
    return _NOT_XML.sub("\ufffd", text)


reporter = JunitReporter()
