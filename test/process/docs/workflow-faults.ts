/** What GitHub's own parser says against a workflow. It imports JSON as bundlers do, which Node takes with a hook only. */
import { register } from 'node:module';

const hook = `export const load = (url, context, next) =>
  next(url, url.endsWith('.json') ? { ...context, importAttributes: { type: 'json' } } : context);`;

export async function workflowFaults(content: string): Promise<string[]> {
  register(`data:text/javascript,${encodeURIComponent(hook)}`);
  const { NoOperationTraceWriter, parseWorkflow } = await import('@actions/workflow-parser');
  const { context } = parseWorkflow({ name: 'workflow.yml', content }, new NoOperationTraceWriter());
  return context.errors.getErrors().map(({ message }) => message);
}
