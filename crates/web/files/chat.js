import{a as r}from"./chat-chunk-GPXD2T4A.js";import{r as e}from"./chat-chunk-DDZ7EL3F.js";e(globalThis,r);
