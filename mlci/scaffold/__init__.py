"""What `mlci init` writes: a configuration, and the few lines that bring it into CI."""


def github_workflow() -> str:
    """Return the workflow for GitHub Actions: a pull request stops at the verdict, main deploys."""
    return """\
name: ml
on:
  pull_request:
  push: {branches: [main]}
permissions: {contents: read}
jobs:
  gate:
    if: github.event_name == 'pull_request'
    uses: mlci/mlci/.github/workflows/ml-ci.yml@v1
  deliver:
    if: github.event_name == 'push'
    uses: mlci/mlci/.github/workflows/ml-cd.yml@v1
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
