import{a as r}from"./chat-chunk-GPXD2T4A.js";import"./chat-chunk-DDZ7EL3F.js";export{r as startEngine};
