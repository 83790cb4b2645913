# Names only: what they do stands in scripts/.
.PHONY: setup test fast run lint format ci

setup:
	scripts/setup --python
test:
	scripts/test
fast:
	scripts/test --fast
run:
	scripts/run
lint:
	scripts/lint
format:
	scripts/format
ci:
	.ci/run
