"""What `mlci init` writes: a configuration, and the few lines that bring it into CI."""


def github_workflow() -> str:
    """Return the workflow for GitHub Actions."""
    return """\
name: ml
on: [pull_request]
permissions: {contents: read}
jobs:
  ml:
    runs-on: ubuntu-24.04
    steps:
      - {uses: actions/checkout@v7, with: {persist-credentials: false}}
      - uses: mlci/mlci/actions/run@v1
"""


def gitlab_pipeline() -> str:
    """Return the pipeline for GitLab CI."""
    return """\
include:
  - project: mlci/mlci
    ref: v1
    file: /.gitlab-ci-templates/run.yml
"""
