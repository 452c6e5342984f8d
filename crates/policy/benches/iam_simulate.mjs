// Decides the cases on standard input with the npm package @cloud-copilot/iam-simulate, and prints a line of JSON for each:
// what it decided and nanoseconds per decision, the best of five rounds after one to warm up, with its checks of the
// input and without. Started by `cargo bench -p bulla-policy --bench compare`; the folder is where the package is installed.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const [folder] = process.argv.slice(2)
const require = createRequire(join(folder, 'index.js'))
const { runSimulation, runUnsafeSimulation } = require('@cloud-copilot/iam-simulate')

const ROUND_MS = 400
const ROUNDS = 5

async function nanoseconds(decide) {
  let best = Infinity
  for (let round = 0; round <= ROUNDS; round += 1) {
    const begun = process.hrtime.bigint()
    let count = 0
    while (Number(process.hrtime.bigint() - begun) < ROUND_MS * 1e6) {
      await decide()
      count += 1
    }
    const each = Number(process.hrtime.bigint() - begun) / count
    if (round > 0 && each < best) best = each
  }
  return best
}

for (const line of readFileSync(0, 'utf8').split('\n').filter((text) => text !== '')) {
  const { name, request, identity, resource } = JSON.parse(line)
  const simulation = {
    request: {
      principal: request.principal,
      action: request.action,
      resource: { resource: request.resource, accountId: request.account },
      contextVariables: request.context,
    },
    identityPolicies: identity.map((policy) => ({ name: 'policy', policy })),
    serviceControlPolicies: [],
    resourceControlPolicies: [],
    ...(resource === null ? {} : { resourcePolicy: resource }),
  }
  const answer = { name, decisions: [], checked: null, unchecked: null }
  const functions = { checked: runSimulation, unchecked: runUnsafeSimulation }
  for (const [words, run] of Object.entries(functions)) {
    try {
      const told = await run(simulation, {})
      answer.decisions.push(told.overallResult ?? told)
    } catch (error) {
      // Version 0.1.173 has no unchecked decision about a resource policy.
      console.error(`${name}, ${words}: ${error}`)
      continue
    }
    answer[words] = await nanoseconds(() => run(simulation, {}))
  }
  console.log(JSON.stringify(answer))
}
