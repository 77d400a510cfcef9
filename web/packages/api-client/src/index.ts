/** Our server from the browser: typed operations, refusals as problems. */
export {
  type Answer,
  addressOf,
  call,
  type Input,
  type Listener,
  listen,
  type OperationKey,
  request,
} from './call';
export { Problem } from './problem';
export type * from './schema.gen';
