import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { FatalError } from '../errors.ts';
import type { ClusterConfig, NodeConfig } from './cluster-config.ts';
import { disagreements, type Problem } from './config-checks.ts';
import { CONFIG_SCHEMA, type NODE_SCHEMA } from './config-schema.ts';

export type ParsedConfig =
  | { readonly kind: 'config'; readonly config: ClusterConfig }
  /** At least one, each with its path: `nodes[1].http: expected a port 1..65535`. */
  | { readonly kind: 'problems'; readonly problems: readonly Problem[] };

/** The configuration in `file`. Errors: {@link FatalError} with exit code 2 and every problem, one per line. */
export function loadConfig(file: string): ClusterConfig {
  const parsed = parseConfig(readText(file), dirname(resolve(file)));
  if (parsed.kind === 'config') return parsed.config;
  const { problems } = parsed;
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  throw new FatalError([`${file} has ${count}:`, ...problems.map((problem) => `  ${problem}`)].join('\n'), 2);
}

/** The node `id` of `config`. Errors: {@link FatalError} with exit code 2 when the file has no such node. */
export function nodeOf(config: ClusterConfig, id: string): NodeConfig {
  const node = config.nodes.find((known) => known.id === id);
  if (node !== undefined) return node;
  throw new FatalError(
    `no node ${id} in the configuration: it has ${config.nodes.map((known) => known.id).join(', ')}`,
    2,
  );
}

/** Reads the text of a cluster.yaml; `folder` is what relative `data` folders are relative to. */
export function parseConfig(text: string, folder: string): ParsedConfig {
  const yaml = parseYaml(text);
  if (yaml.kind === 'problems') return yaml;
  const { raw } = yaml;
  const result = CONFIG_SCHEMA.safeParse(raw);
  const problems = [...(result.error?.issues.flatMap(describeIssue) ?? []), ...disagreements(raw, folder)];
  if (!result.success || problems.length > 0) return { kind: 'problems', problems };
  return { kind: 'config', config: complete(result.data, folder) };
}

type ParsedYaml =
  | { readonly kind: 'raw'; readonly raw: unknown }
  | { readonly kind: 'problems'; readonly problems: readonly Problem[] };

function parseYaml(text: string): ParsedYaml {
  const document = parseDocument(text, { schema: 'core' });
  const problems = [...document.errors, ...document.warnings].map((error) => firstLine(error.message));
  if (problems.length > 0) return { kind: 'problems', problems };
  try {
    return { kind: 'raw', raw: document.toJS() };
  } catch (error) {
    // Aliases are resolved only now: one that is not defined, or aliases of aliases that would fill the memory.
    return { kind: 'problems', problems: [messageOf(error)] };
  }
}

function complete(file: z.infer<typeof CONFIG_SCHEMA>, folder: string): ClusterConfig {
  const { request, drain } = file.timeouts;
  return {
    ...file,
    nodes: file.nodes.map((node) => completeNode(node, folder)),
    timeouts: { requestMs: request, drainMs: drain },
  };
}

function completeNode(node: z.infer<typeof NODE_SCHEMA>, folder: string): NodeConfig {
  return { ...node, data: resolve(folder, node.data), bind: node.bind ?? node.host };
}

function describeIssue(issue: z.core.$ZodIssue): Problem[] {
  if (issue.code !== 'unrecognized_keys') return [describe(issue.path, issue.message)];
  return issue.keys.map((key) => describe([...issue.path, key], 'unknown key'));
}

function describe(path: readonly PropertyKey[], message: string): Problem {
  const text = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  return text === '' ? message : `${text.replace(/^\./, '')}: ${message}`;
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new FatalError(`cannot read ${file}: ${messageOf(cause)}`, 2, {
      cause,
    });
  }
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0]?.replace(/:$/, '') ?? message;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
