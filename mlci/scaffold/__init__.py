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
  ml:
    runs-on: ubuntu-24.04
    steps:
      - {uses: actions/checkout@v7, with: {persist-credentials: false}}
      - uses: mlci/mlci/actions/run@v1
        with:
          until: ${{ github.event_name == 'pull_request' && 'compare-to-baseline' || 'deploy' }}
          tracking-uri: ${{ vars.MLFLOW_TRACKING_URI }}
          tracking-token: ${{ secrets.MLFLOW_TRACKING_TOKEN }}
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
