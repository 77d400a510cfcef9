import { describe, expect, it } from 'vitest';
import { saidBy, shownPerson, typedPerson } from './describe';

describe('texts of orders', () => {
  it('splits a typed name as DICOM keeps it', () => {
    expect(typedPerson(' CARRÈRE Sylvie ')).toBe('CARRÈRE^Sylvie');
    expect(typedPerson('Sylvie LE GOFF')).toBe('LE GOFF^Sylvie');
    expect(typedPerson('Le^Goff')).toBe('Le^Goff');
    expect(typedPerson('Carrère')).toBe('Carrère');
    expect(typedPerson('Carrère Sylvie')).toBe('Carrère^Sylvie');
    expect(typedPerson('')).toBe('');
  });

  it('shows a name so that it is split again as it was', () => {
    expect(shownPerson('Le Goff^Yann^^Dr')).toBe('LE GOFF Yann');
    expect(typedPerson(shownPerson('LE GOFF^Yann'))).toBe('LE GOFF^Yann');
    expect(shownPerson('Cabinet')).toBe('Cabinet');
  });

  it('names who said something', () => {
    expect(saidBy('user:ana')).toBe('ana');
    expect(saidBy('hl7:42')).toBe('HL7 42');
    expect(saidBy('dicom:CT1')).toBe('DICOM CT1');
    expect(saidBy('system:demo')).toBe('demo');
  });
});
