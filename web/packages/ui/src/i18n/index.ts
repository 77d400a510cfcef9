export { createFormat, type Format } from './format';
export { LanguageProvider, useFormat, useLanguage, useMessages, useTranslated } from './LanguageProvider';
export { chooseLanguage, isLanguage, LANGUAGES, type Language, localeOf, type Translated } from './language';
export {
  type Catalog,
  defineMessages,
  type Message,
  type Messages,
  type Plural,
  type Say,
  speak,
} from './messages';
