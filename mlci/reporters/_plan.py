"""Says in words what a run would do: for a terminal, and as Markdown for a summary or a comment."""

from __future__ import annotations

from mlci.core.plan import Plan, PlannedProject
from mlci.core.status import Status
from mlci.reporters._escape import escape, no_command, one_line
from mlci.reporters._words import SIGNS

PLAN_FILE = "plan.json"
NOTHING = "Nothing to evaluate"
_ACTIONS = {"run": "run ", "skip": "skip", "absent": "–   "}
_MOST_PROJECTS = 100


def plan_text(plan: Plan) -> str:
    """Return the plan for a terminal: a line for each stage, and for each project where there are several."""
    several = len(plan.projects) > 1
    lines = []
    if plan.base is not None or several:
        lines = [one_line(plan.why if plan.evaluate else f"{NOTHING}: {plan.why}"), ""]
    for project in plan.projects:
        lines += [f"{project.name} ({one_line(project.folder)}): {one_line(project.why)}"] if several else []
        width = max((len(row.stage) for row in project.stages), default=0)
        indent = "  " if several else ""
        lines += [
            f"{indent}{row.stage:<{width}}  {_ACTIONS[row.action]}  {one_line(row.why)}"
            for row in project.stages
        ]
    return no_command("\n".join(lines))


def plan_markdown(plan: Plan) -> str:
    """Return the plan for a summary: the decision in words, then the projects and their stages."""
    head = f"### {SIGNS[Status.SKIPPED]} {NOTHING}" if not plan.evaluate else "### What this change evaluates"
    base = f" (compared with commit {escape(plan.base[:7])})" if plan.base else ""
    parts = [head, f"{escape(plan.why)}{base}"]
    parts += [_project(project) for project in plan.projects[:_MOST_PROJECTS]]
    if len(plan.projects) > _MOST_PROJECTS:
        parts.append(f"… and {len(plan.projects) - _MOST_PROJECTS:,} more projects")
    return "\n\n".join(parts) + "\n"


def _project(project: PlannedProject) -> str:
    lines = [f"**{escape(project.name)}** in {escape(project.folder)}: {escape(project.why)}"]
    if project.stages:
        lines.append("")
    lines += [f"- {row.action} {escape(row.stage)}: {escape(row.why)}" for row in project.stages]
    return "\n".join(lines)
