"""What `mlci init` writes: a configuration, and the few lines that bring it into CI."""


def github_workflow() -> str:
    """Return the workflow for GitHub Actions: a pull request stops at the verdict, main deploys."""
    return """\
name: ml
on:
  pull_request:
  push: {branches: [main]}
permissions: {}
jobs:
  gate:
    if: github.event_name == 'pull_request'
    permissions: {contents: read, pull-requests: write}
    uses: mlci/mlci/.github/workflows/ml-ci.yml@v1
  deliver:
    if: github.event_name == 'push'
    permissions: {contents: read}
    uses: mlci/mlci/.github/workflows/ml-cd.yml@v1
"""


def github_fork_workflow() -> str:
    """Return the second workflow for GitHub Actions, which comments on pull requests from forks."""
    return """\
name: ml-comment
on:
  workflow_run: {workflows: [ml], types: [completed]} # zizmor: ignore[dangerous-triggers] nothing is checked out
permissions: {}
cache-mode: none
jobs:
  comment:
    permissions: {actions: read, contents: read, pull-requests: write}
    uses: mlci/mlci/.github/workflows/ml-comment.yml@v1
"""


def github_retrain_workflow() -> str:
    """Return the workflow for GitHub Actions that trains again without a change."""
    return """\
name: ml-retrain
on:
  workflow_dispatch: {inputs: {reason: {description: Why, required: true}}}
  repository_dispatch: {types: [ml-retrain]}
  schedule: [{cron: "17 3 * * 1"}]
permissions: {}
jobs:
  retrain:
    permissions: {contents: read}
    uses: mlci/mlci/.github/workflows/ml-retrain.yml@v1
    with: {reason: "${{ inputs.reason }}"}
"""


def gitlab_pipeline() -> str:
    """Return the pipeline for GitLab CI: a merge request stops at the verdict, the default branch deploys."""
    return """\
include:
  - project: mlci/mlci
    ref: v1
    file: /.gitlab-ci-templates/run.yml
    inputs: {review-until: compare-to-baseline, until: deploy}
"""
