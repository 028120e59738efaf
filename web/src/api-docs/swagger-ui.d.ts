declare module "swagger-ui-dist/swagger-ui-es-bundle.js" {
  interface Options {
    url: string;
    domNode: HTMLElement | null;
    deepLinking: boolean;
    docExpansion: "list" | "full" | "none";
    validatorUrl: string | null;
  }
  export default function SwaggerUI(options: Options): unknown;
}
