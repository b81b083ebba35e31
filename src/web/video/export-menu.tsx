import { Icon } from '../shared/icon.tsx';
import { Menu } from '../shared/menu.tsx';

export interface ExportMenuProps {
  readonly jobId: string;
  readonly hasText: boolean;
  readonly hasObjects: boolean;
}

/** The findings as files. */
export function ExportMenu({ jobId, hasText, hasObjects }: ExportMenuProps) {
  const segments = `video/segments/${jobId}`;
  const files: readonly (readonly [name: string, format: string, address: string])[] = [
    ...(hasText
      ? [
          ['Subtitles', 'SRT', `${segments}?format=srt`] as const,
          ['Subtitles', 'VTT', `${segments}?format=vtt`] as const,
          ['Text with times', 'TXT', `${segments}?format=txt&kind=scenes`] as const,
          ['Table of texts', 'CSV', `${segments}?format=csv`] as const,
        ]
      : []),
    ...(hasObjects ? [['Table of objects', 'CSV', `${segments}?format=csv&kind=objects`] as const] : []),
    ['Every frame', 'JSON', `video/results/${jobId}`],
  ];
  return (
    <Menu class="export-menu" button={<>Export</>}>
      {files.map(([name, format, address]) => (
        <a key={address} href={address} download="">
          <Icon name="download" /> {name} <small>{format}</small>
        </a>
      ))}
    </Menu>
  );
}
