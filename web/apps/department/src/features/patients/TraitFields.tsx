import { Select, SimpleGrid, Textarea, TextInput } from '@mantine/core';
import { useMessages } from '@negatoscope/ui';
import type { ReactNode } from 'react';
import { messages } from './messages';
import { errorsOf, type TypedTraits } from './traits';

/** The fields of a patient's traits. */
export function TraitFields(props: {
  readonly typed: TypedTraits;
  readonly onChange: (typed: TypedTraits) => void;
  /** Errors are shown once somebody tried to send. */
  readonly isChecked: boolean;
}): ReactNode {
  const { typed } = props;
  const say = useMessages(messages);
  const errors = props.isChecked ? errorsOf(typed) : {};
  const field = (name: Exclude<keyof TypedTraits, 'sex'>, maxLength = 200) => ({
    value: typed[name],
    maxLength,
    autoComplete: 'off',
    onChange: (event: { readonly currentTarget: { readonly value: string } }) =>
      props.onChange({ ...typed, [name]: event.currentTarget.value }),
  });
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm" verticalSpacing="xs">
      <TextInput
        label={say('birthFamily')}
        data-autofocus
        withAsterisk
        error={errors.birthFamily && say(errors.birthFamily)}
        {...field('birthFamily')}
      />
      <TextInput label={say('birthGiven')} {...field('birthGiven')} />
      <TextInput label={say('birthFurther')} {...field('birthFurther', 500)} />
      <Select
        label={say('sex')}
        data={[
          { value: 'F', label: say('female') },
          { value: 'M', label: say('male') },
          { value: 'I', label: say('undetermined') },
          { value: '', label: say('unknownSex') },
        ]}
        allowDeselect={false}
        value={['F', 'M', 'I'].includes(typed.sex) ? typed.sex : ''}
        onChange={(value) => props.onChange({ ...typed, sex: (value ?? '') as TypedTraits['sex'] })}
      />
      <TextInput
        label={say('birthDate')}
        placeholder={say('birthDateHint')}
        error={errors.birthDate && say(errors.birthDate)}
        {...field('birthDate', 10)}
      />
      <TextInput label={say('lunar')} placeholder={say('lunarHint')} {...field('lunar', 40)} />
      <TextInput
        label={say('birthPlace')}
        error={errors.birthPlaceCode && say(errors.birthPlaceCode)}
        {...field('birthPlaceCode', 5)}
      />
      <TextInput label={say('birthPlaceName')} {...field('birthPlaceName')} />
      <TextInput label={say('usedFamily')} placeholder={say('usedHint')} {...field('usedFamily')} />
      <TextInput label={say('usedGiven')} placeholder={say('usedHint')} {...field('usedGiven')} />
      <TextInput label={say('telephone')} inputMode="tel" {...field('telephone', 40)} />
      <Textarea label={say('address')} rows={1} autosize minRows={1} maxRows={3} {...field('address', 500)} />
    </SimpleGrid>
  );
}
