"""The words of the house: results, inputs, stages, ports, errors. Standard library and pydantic only."""
