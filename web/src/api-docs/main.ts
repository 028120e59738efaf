// Swagger UI over the API's document, a page of its own at /api/docs.

import SwaggerUI from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";

SwaggerUI({
  url: "/api/openapi.json",
  domNode: document.getElementById("api"),
  deepLinking: true,
  docExpansion: "none",
  // The default sends the document to a server of Swagger's.
  validatorUrl: null,
});
