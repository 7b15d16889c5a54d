/** How the parts of cluster.yaml must agree with each other. Works on whatever of the file is well-formed, so that all problems show at once. */
import { isIPv4 } from 'node:net';
import { isAbsolute, relative, resolve } from 'node:path';
import type { z } from 'zod';
import { resolveLevel } from '../core/quorum/quorum-spec.ts';
import { LIMITS_SCHEMA, NODE_SCHEMA, REPLICATION_SCHEMA } from './config-schema.ts';
import { formatSetting, LIMIT_SETTINGS } from './settings.ts';

/** A path into the file and what is wrong there: `nodes[1].http: expected a port 1..65535`. */
export type Problem = string;

type Fields = Readonly<Record<string, unknown>>;
type DraftNode = ReturnType<typeof draftNode>;

/** `raw` is the file as parsed; what has the wrong shape is passed over here: the schema reports it. */
export function disagreements(raw: unknown, folder: string): readonly Problem[] {
  const file = fieldsOf(raw);
  const listed = Array.isArray(file.nodes) ? file.nodes : [];
  const nodes = listed.map((node, index) => draftNode(fieldsOf(node), index, folder));
  return [
    ...replicationProblems(fieldsOf(file.replication ?? {}), Array.isArray(file.nodes) ? nodes.length : undefined),
    ...nodes.flatMap(samePort),
    ...nodes.flatMap((node) => nodes.slice(0, node.index).flatMap((earlier) => conflicts(node, earlier))),
    ...(file.insecure === true ? [] : nodes.flatMap(exposure)),
    ...limitProblems(fieldsOf(file.limits ?? {})),
  ];
}

function draftNode(node: Fields, index: number, folder: string) {
  const { id, host, bind, http, rpc, data } = NODE_SCHEMA.shape;
  const path = valid(data, node.data);
  return {
    index,
    id: valid(id, node.id),
    host: valid(host, node.host),
    bind: valid(bind, node.bind),
    ports: { http: valid(http, node.http), rpc: valid(rpc, node.rpc) },
    data: path === undefined ? undefined : resolve(folder, path),
  };
}

function replicationProblems(replication: Fields, nodes: number | undefined): Problem[] {
  const shape = REPLICATION_SCHEMA.shape;
  const n = valid(shape.n, replication.n);
  if (n === undefined) return [];
  const problems = nodes !== undefined && n > nodes ? [`replication.n: ${n} owners need ${n} nodes, not ${nodes}`] : [];
  for (const part of ['r', 'w'] as const) {
    const level = valid(shape[part], replication[part]);
    if (level === undefined || resolveLevel(level, n) !== undefined) continue;
    problems.push(`replication.${part}: expected at most n = ${n}, not ${level}`);
  }
  return problems;
}

/** What two nodes must not share. */
function conflicts(node: DraftNode, earlier: DraftNode): Problem[] {
  const here = `nodes[${node.index}]`;
  const there = `nodes[${earlier.index}]`;
  const problems: Problem[] = [];
  if (node.id !== undefined && node.id === earlier.id) problems.push(`${here}.id: ${node.id} is ${there}'s already`);
  if (node.host === undefined || earlier.host === undefined || machine(node.host) !== machine(earlier.host)) {
    return problems;
  }
  for (const [name, port] of Object.entries(node.ports)) {
    const taken = port !== undefined && Object.values(earlier.ports).includes(port);
    if (taken) problems.push(`${here}.${name}: port ${port} on ${node.host} is ${there}'s already`);
  }
  if (node.data !== undefined && earlier.data !== undefined && overlap(node.data, earlier.data)) {
    problems.push(`${here}.data: the folder is ${there}'s, or one lies within the other`);
  }
  return problems;
}

function samePort({ index, ports }: DraftNode): Problem[] {
  if (ports.http === undefined || ports.http !== ports.rpc) return [];
  return [`nodes[${index}].rpc: port ${ports.rpc} is nodes[${index}].http's already`];
}

/** A node that would listen to the network. */
function exposure(node: DraftNode): Problem[] {
  const [key, address] = node.bind === undefined ? ['host', node.host] : ['bind', node.bind];
  if (address === undefined || isLoopback(address)) return [];
  return [
    `nodes[${node.index}].${key}: ${address} is not loopback, and there is no authentication: that needs "insecure: true"`,
  ];
}

/** A limit that cannot hold what another one admits would only show under load. */
function limitProblems(limits: Fields): Problem[] {
  const shape = LIMITS_SCHEMA.shape;
  const pairs = [
    ['valueBytes', 'objectBytes'],
    ['valueBytes', 'bodyBytes'],
    ['objectBytes', 'peerQueueBytes'],
    ['objectBytes', 'memtableBytes'],
    ['objectBytes', 'hintBytes'],
  ] as const;
  return pairs.flatMap(([smaller, larger]) => {
    const least = valid(shape[smaller], limits[smaller]);
    const value = valid(shape[larger], limits[larger]);
    if (least === undefined || value === undefined || least <= value) return [];
    const { unit } = LIMIT_SETTINGS[larger];
    return [
      `limits.${larger}: expected at least limits.${smaller} = ${formatSetting(unit, least)}, not ${formatSetting(unit, value)}`,
    ];
  });
}

/** The value as the schema reads it, undefined when it does not. */
function valid<T>(schema: z.ZodType<T>, value: unknown): T | undefined {
  const result = schema.safeParse(value);
  return result.success ? result.data : undefined;
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function machine(host: string): string {
  return host === 'localhost' || host === '::1' ? '127.0.0.1' : host.toLowerCase();
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

function overlap(one: string, other: string): boolean {
  return [relative(one, other), relative(other, one)].some((path) => !path.startsWith('..') && !isAbsolute(path));
}
