export { DateField } from './DateField';
export { DateTimeField } from './DateTimeField';
export { TimeField } from './TimeField';
