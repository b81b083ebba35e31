/** As much of the package as is used; it brings no types of its own. */
declare module 'swagger-client' {
  interface Client {
    execute(options: {
      readonly operationId: string;
      readonly parameters?: Readonly<Record<string, unknown>>;
      readonly requestBody?: Readonly<Record<string, unknown>>;
      readonly securities?: { readonly authorized: Readonly<Record<string, unknown>> };
    }): Promise<{ readonly status: number; readonly text: string }>;
  }
  export default function open(url: string): Promise<Client>;
}
