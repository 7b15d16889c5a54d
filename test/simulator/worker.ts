/** A process that runs the jobs it is sent, one after the other. */
import { type Job, runJob } from './run-twice.ts';

// Errors are part of many answers, and their stacks cost 3 % of the time. Who looks into a failure runs it with its trace.
Error.stackTraceLimit = 0;

process.on('message', (job: Job) => {
  runJob(job).then(
    (report) => process.send?.(report),
    (error: unknown) => {
      process.stderr.write(`seed ${job.seed}: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exit(1);
    },
  );
});
// An interrupt reaches every process of the terminal: the one that started this one decides.
process.on('SIGINT', () => undefined);
process.on('disconnect', () => process.exit(0));
