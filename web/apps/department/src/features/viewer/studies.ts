/** Study Instance UIDs of an address: `studyUID` several times, or once as a list. */
export function studiesOf(query: string): readonly string[] {
  const found = new URLSearchParams(query).getAll('studyUID').flatMap((value) => {
    if (!value.startsWith('[')) return value.split(',');
    try {
      const list: unknown = JSON.parse(value);
      return Array.isArray(list) ? list.map(String) : [];
    } catch {
      return [];
    }
  });
  const uids = found.map((uid) => uid.replaceAll('"', '').trim()).filter((uid) => /^[0-9.]{1,64}$/.test(uid));
  return [...new Set(uids)].slice(0, 8);
}
