# The usual targets over the npm scripts; `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help dev-hybrid proto build-hybrid test-tunnel check

help: ## Lists the targets.
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

node_modules: package-lock.json
	npm ci
	@touch node_modules

dev-hybrid: node_modules ## Starts a sample service, an edge and an agent, and shows that the tunnel works.
	npm run demo

proto: node_modules ## Checks that the wire contract in proto/ is what the program speaks.
	npx vitest run test/protocol/proto-contract.test.ts

build-hybrid: node_modules ## Builds dist/ and the manifest of the commands.
	npm run build

test-tunnel: node_modules ## Runs the tests of the tunnel: edge, agent and origin together.
	npm run test:integration

check: node_modules ## Builds, lints, checks types and runs all tests.
	npm run check
