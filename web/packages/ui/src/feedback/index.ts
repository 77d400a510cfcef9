export { ConfirmProvider, type Question, useConfirm } from './ConfirmProvider';
export { type Notify, useNotify } from './notify';
