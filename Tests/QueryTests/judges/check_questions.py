"""Judges protocol/query.schema.json: usage: check_questions.py SCHEMA QUESTIONS

Each line of QUESTIONS is "accept" or "refuse", a space, and a question. Ends with 1 and the lines that the schema takes
otherwise.
"""

import json
import sys

import jsonschema


def main(schema_path, questions_path):
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    with open(questions_path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    faults = []
    for line in lines:
        expected, question = line.split(" ", 1)
        if validator.is_valid(json.loads(question)) != (expected == "accept"):
            faults.append(f"the schema does not {expected} {question}")
    if faults or not lines:
        sys.exit("\n".join(faults) or "there are no questions")


main(*sys.argv[1:])
