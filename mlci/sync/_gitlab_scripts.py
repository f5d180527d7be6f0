"""The shell of GitLab's jobs: what is installed and when, what is fetched, and when a job ends at once."""

from __future__ import annotations

from pathlib import Path

from mlci.sync._yaml import Block

_PLAN_PACKAGES = Path(__file__).resolve().parents[2] / "requirements" / "plan.in"
_PIP = "python -m pip install --quiet --disable-pip-version-check"
_NOTHING = 'grep -qsx MLCI_PLAN_EVALUATE=false "$MLCI_OUT/plan.env"'

# Exit code 4 after pip, so that a package server that is down never looks like a bad model.
INSTALL = Block(f"""\
if [ -n "$MLCI_LIGHT" ] || ! command -v mlci > /dev/null; then
  {_PIP} "$MLCI_REQUIREMENT" || exit 4
fi
if [ -n "$MLCI_PROJECT_REQUIREMENTS" ]; then
  {_PIP} -r "$MLCI_PROJECT_REQUIREMENTS" || exit 4
fi
""")

FETCH_BASE = Block("""\
# The rules of a merge request are those of the commit it is based on, which a shallow clone may not hold.
for commit in $CI_MERGE_REQUEST_TARGET_BRANCH_SHA $CI_MERGE_REQUEST_DIFF_BASE_SHA; do
  git cat-file -e "$commit^{commit}" 2> /dev/null || git fetch --quiet --depth 1 origin "$commit" ||
    echo "cannot fetch $commit, which this merge request is based on"
done
""")

END_IF_PLANNED_SO = Block(f"""\
# The first job of a merge request has planned: where nothing is to be evaluated, nothing is installed.
if [ -n "$CI_MERGE_REQUEST_IID" ] && {_NOTHING}; then
  echo "Nothing to evaluate."
  exit 0
fi
""")

END_IF_NOTHING = Block(f"""\
mlci plan
if [ -z "$MLCI_FORCE" ] && {_NOTHING}; then
  exit 0
fi
""")


def install_light() -> Block:
    """Return the script that installs what planning needs: no machine-learning library."""
    packages = _PLAN_PACKAGES.read_text("utf-8").split()
    return Block(f"""\
if ! command -v mlci > /dev/null; then
  MLCI_LIGHT=yes
  {_PIP} --no-deps "$MLCI_REQUIREMENT" || exit 4
  {_PIP} {" ".join(packages)} || exit 4
fi
""")


def note(when: str = "") -> Block:
    """Return the script that writes a note under the merge request; `when` narrows it, in shell."""
    narrowed = f"{when} &&\n  " if when else ""
    return Block(f"""\
# For those who want a note. It never decides: the result of the job stands already.
if {narrowed}[ -n "$MLCI_GITLAB_TOKEN" ] && [ -n "$CI_MERGE_REQUEST_IID" ] && command -v mlci > /dev/null; then
  mlci comment --plan "$MLCI_OUT/plan.json" --id "$MLCI_NOTE"
fi
""")


NOTE_IF_LAST = f'{{ [ "$CI_JOB_STATUS" != success ] || {_NOTHING}; }}'
"""True where no later job will write the note: this one failed, or nothing is to be evaluated."""
