import { z } from 'zod';
import { getJson } from '../stores/get-json.ts';

const View = z.object({ n: z.int().positive() });

/** How many copies of each key the cluster at that URL keeps. */
export async function copiesOf(url: string): Promise<number> {
  return View.parse(await getJson(`${url}/v1/cluster`)).n;
}
